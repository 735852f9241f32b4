import { execFileSync } from 'node:child_process'
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createTarReader, type TarEntry } from '../../../engine/images/tar-reader.ts'
import { makeTar } from '../../support/images.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-tar-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Read extends TarEntry {
  bytes: Buffer
  /** Bytes that stood in the archive, without the holes. */
  packed: number
}

/** Reads an archive in chunks of this size. */
function read(archive: Buffer, chunkBytes = archive.length): Read[] {
  const entries: Read[] = []
  let current: Read | undefined
  const reader = createTarReader({
    begin(entry) {
      current = { ...entry, bytes: Buffer.alloc(entry.sizeBytes), packed: 0 }
    },
    content(bytes, at) {
      if (!current) throw new Error('content of no entry')
      bytes.copy(current.bytes, at)
      current.packed += bytes.length
    },
    end() {
      if (current) entries.push(current)
      current = undefined
    },
  })
  for (let at = 0; at < archive.length; at += chunkBytes) reader.push(archive.subarray(at, at + chunkBytes))
  reader.end()
  return entries
}

function gnuTar(...args: string[]): Buffer {
  return execFileSync('tar', ['-C', folder, '-c', '-f', '-', ...args], { maxBuffer: 2 ** 30 })
}

describe('sparse files', () => {
  const file = openSync(join(folder, 'sparse'), 'w')
  const parts = Array.from({ length: 40 }, (_, index) => index * 300_000)
  for (const at of parts) writeSync(file, `part at ${at}`, at)
  closeSync(file)
  execFileSync('truncate', ['-s', '20M', join(folder, 'sparse')])

  test.each([
    ['the old GNU format', ['--format=gnu']],
    ['PAX, version 0.0', ['--format=posix', '--sparse-version=0.0']],
    ['PAX, version 0.1', ['--format=posix', '--sparse-version=0.1']],
    ['PAX, version 1.0', ['--format=posix', '--sparse-version=1.0']],
  ])('%s: every byte is where it belongs, and holes stay holes', (_what, flags) => {
    const archive = gnuTar('--sparse', ...flags, 'sparse')
    for (const chunkBytes of [archive.length, 1_000]) {
      const [entry] = read(archive, chunkBytes)
      expect(entry).toMatchObject({ kind: 'file', name: 'sparse', sizeBytes: 20 * 2 ** 20 })
      expect(entry?.bytes.equals(readFileSync(join(folder, 'sparse')))).toBe(true)
      expect(entry?.packed).toBeLessThan(300_000)
    }
  })
})

test.each([
  ['gnu', 'long'.repeat(60)],
  ['posix', 'long'.repeat(60)],
  ['ustar', 'short'],
  ['v7', 'short'],
])('the %s format is read, in chunks of any size', (format, name) => {
  const place = join(folder, format)
  mkdirSync(place)
  writeFileSync(join(place, name), 'hello')
  linkSync(join(place, name), join(place, 'hard'))
  symlinkSync(name, join(place, 'link'))
  const archive = gnuTar(`--format=${format}`, '--sort=name', format)
  for (const chunkBytes of [archive.length, 1, 511, 513]) {
    const said = read(archive, chunkBytes).map((entry) => [
      entry.kind,
      entry.name,
      entry.linkName,
      String(entry.bytes),
    ])
    expect(said).toEqual([
      ['folder', `${format}/`, '', ''],
      ['file', `${format}/hard`, '', 'hello'],
      ['symlink', `${format}/link`, name, ''],
      ['link', `${format}/${name}`, `${format}/hard`, ''],
    ])
  }
})

test('names that are no text come out byte for byte', () => {
  const bytes = Buffer.from([0x61, 0xff, 0xfe, 0x0a, 0x62])
  mkdirSync(join(folder, 'odd'))
  writeFileSync(Buffer.concat([Buffer.from(`${join(folder, 'odd')}/`), bytes]), '')
  for (const format of ['gnu', 'posix']) {
    const names = read(gnuTar(`--format=${format}`, 'odd')).map(({ name }) => name)
    expect(names).toContain(`odd/${bytes.toString('latin1')}`)
  }
})

test('times come with nanoseconds, also before 1970', async () => {
  execFileSync('touch', ['-d', '2001-02-03 04:05:06.123456789 UTC', join(folder, 'late')])
  execFileSync('touch', ['-d', '1960-01-01 00:00:00.25 UTC', join(folder, 'early')])
  const [late, early] = read(gnuTar('--format=posix', 'late', 'early'))
  expect([late?.mtime, late?.mtimeNanoseconds]).toEqual([981_173_106, 123_456_789])
  expect([early?.mtime, early?.mtimeNanoseconds]).toEqual([-315_619_200, 250_000_000])
})

test('an archive that breaks off anywhere is refused, but for the zeros at its end', async () => {
  const archive = await makeTar([
    { name: 'one', content: 'x'.repeat(600) },
    { name: 'two', content: 'y' },
  ])
  const entriesEnd = archive.length - 1_024
  for (let length = 1; length < entriesEnd; length += 100) {
    const isAtEntry = length % 512 === 0
    if (!isAtEntry) expect(() => read(archive.subarray(0, length))).toThrow('in the middle')
  }
  expect(read(archive.subarray(0, entriesEnd))).toHaveLength(2)
})

test('a global header speaks of no entry', () => {
  const archive = gnuTar('--format=posix', '--pax-option=globexthdr.name=g,path=elsewhere,uid=77', 'late')
  expect(read(archive)[0]?.name).toBe('late')
})
