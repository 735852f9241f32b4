import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { createGunzip } from 'node:zlib'
import tar from 'tar-stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listSource, packSource } from '../../../cli/deploy/pack.ts'
import { dockerRules } from '../../../platform/model/source-rules.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-test-pack-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(files: Record<string, string>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

const pathsOf = async (options = {}) =>
  (await listSource(folder, options)).files.filter(({ kind }) => kind !== 'folder').map(({ path }) => path)

test('what .gitignore leaves out is not sent: nearer files decide, and what is in a folder that is left out stays out', async () => {
  write({
    '.gitignore': '*.log\n/dist\nnode_modules/\n.env\n',
    '.git/config': 'secret',
    'node_modules/a/index.js': '',
    'dist/old.js': '',
    'web/dist/kept.js': '',
    'web/.gitignore': '!wanted.log\ncache\n',
    'web/wanted.log': '',
    'web/other.log': '',
    'web/cache/x': '',
    '.env': 'TOKEN=1',
    Dockerfile: 'FROM x',
  })
  const sent = ['.gitignore', 'Dockerfile', 'web/.gitignore', 'web/dist/kept.js', 'web/wanted.log']
  expect(await pathsOf()).toEqual(sent)
  expect(await pathsOf({ ignoresGit: false })).toContain('dist/old.js')
  expect(await pathsOf({ ignoresGit: false })).not.toContain('.git/config')
})

test('.dockerignore leaves out too, with its own rules; the Dockerfile is sent in any case', async () => {
  write({
    '.dockerignore': '# all but these\n*\n!src\n!package.json\nsrc/**/*.test.js\n',
    Dockerfile: 'FROM x',
    'build/other.Dockerfile': 'FROM x',
    'package.json': '{}',
    'src/a.js': '',
    'src/deep/a.test.js': '',
    'docs/a.md': '',
  })
  const dockerfile = 'build/other.Dockerfile'
  expect(await pathsOf({ dockerfile })).toEqual(
    ['.dockerignore', 'Dockerfile', dockerfile, 'package.json', 'src/a.js'].sort(),
  )
})

test.each([
  ['foo', 'foo', true],
  ['foo', 'a/foo', false],
  ['**/foo', 'a/b/foo', true],
  ['/foo', 'foo/bar', true],
  ['./foo/', 'foo/', true],
  ['*.md', 'a/b.md', false],
  ['a/*', 'a/b/c', true],
  ['a/?.js', 'a/b.js', true],
  ['foo', 'FOO', false],
])('.dockerignore %s leaves %s out: %s', (rule, path, expected) => {
  expect(dockerRules(rule).isLeftOut(path)).toBe(expected)
})

async function unpack(stream: AsyncIterable<Buffer>) {
  const found: Record<string, string> = {}
  const extract = tar.extract()
  extract.on('entry', async (header, body, next) => {
    found[header.name] = header.type === 'file' ? await text(body) : `${header.type} ${header.linkname ?? ''}`
    next()
  })
  const packed = await buffer(stream)
  const gunzip = createGunzip()
  gunzip.end(packed)
  for await (const chunk of gunzip) extract.write(chunk)
  extract.end(undefined)
  return found
}

test('links are sent as links and never followed; one that leads out of the folder is told of', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'berth-test-outside-'))
  writeFileSync(join(outside, 'secret'), 'do not tell')
  write({ 'a.txt': 'a', 'sub/b.txt': 'b' })
  symlinkSync('a.txt', join(folder, 'inside'))
  symlinkSync(outside, join(folder, 'out'))
  symlinkSync('../../etc/passwd', join(folder, 'sub', 'up'))
  const source = await listSource(folder)
  expect(source.notes).toEqual([
    expect.stringMatching(/^out leads out of the folder/),
    expect.stringMatching(/^sub\/up leads out/),
  ])
  const found = await unpack(packSource(source))
  expect(found).toMatchObject({
    'a.txt': 'a',
    'sub/b.txt': 'b',
    inside: 'symlink a.txt',
    out: `symlink ${outside}`,
    'sub/up': 'symlink ../../etc/passwd',
  })
  expect(JSON.stringify(found)).not.toContain('do not tell')
  rmSync(outside, { recursive: true })
})

test('a file that became a link or another length since it was listed ends the archive', async () => {
  write({ 'a.txt': 'aaaa', 'b.txt': 'b' })
  const source = await listSource(folder)
  write({ 'a.txt': 'aaaaaaaaaa' })
  await expect(unpack(packSource(source))).rejects.toThrow('a.txt changed while it was packed')
  rmSync(join(folder, 'a.txt'))
  symlinkSync('/etc/passwd', join(folder, 'a.txt'))
  await expect(unpack(packSource(source))).rejects.toThrow('a.txt changed while it was packed')
})

test('large files arrive whole, and progress says how far it is', async () => {
  const content = 'x'.repeat(3_000_000)
  write({ large: content, empty: '' })
  const source = await listSource(folder)
  let last = [0, 0]
  const stream = packSource(source, {
    onProgress: (...now) => {
      last = now
    },
  })
  const found = await unpack(stream)
  expect(found.large === content && found.empty === '').toBe(true)
  expect(last[0]).toBe(3_000_000)
})

test('nothing to send, no folder', async () => {
  await expect(listSource(folder)).rejects.toThrow('There is nothing to send')
  await expect(listSource(join(folder, 'none'))).rejects.toThrow('is no folder')
})
