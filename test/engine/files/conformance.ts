/** What every tree of files keeps to, whoever lives in it. A new one is a test file that passes how it is made. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import tar from 'tar-stream'
import { expect, test } from 'vitest'
import type { FileEntry, FileTree, RemoveOptions } from '../../../engine/index.ts'

export interface LivedIn {
  files: FileTree
  /** Where the tree's own folder is, as whoever lives there sees it; in the tree it is `at`. */
  home: string
  at: string
  /** Runs a script in it, and answers with what it wrote. */
  inside(script: string): Promise<string>
  /** Runs a script until it is ended. */
  keepRunning(script: string): Promise<{ end(): Promise<void> }>
}

const mib = 2 ** 20
export const from = (content: string | Buffer) => Readable.from([Buffer.from(content)])
const within: RemoveOptions = { withinMs: 60_000 }
const names = (entries: FileEntry[]) => entries.map(({ name }) => name.toString())

export function conformsToFileTree(given: () => LivedIn): void {
  const files = () => given().files
  const at = (path: string) => join(given().at, path)
  const home = (path: string) => join(given().home, path)
  const inside = (script: string) => given().inside(script)
  const write = (path: string, content: string, options = {}) =>
    files().write(at(path), from(content), { maxBytes: mib, ...options })
  const read = async (path: string | Buffer) =>
    text((await files().read(path, { maxBytes: 64 * mib })).stream)

  test('a listing says what there is, folders first, and what links lead to', async () => {
    await inside(
      `mkdir -p ${home('l/dir')}; cd ${home('l')}; echo hello > b; chown 5:6 b; chmod 4750 b; ln -s dir z; ln -s none x
       mkfifo pipe; ln -s /etc/hostname outside; touch a`,
    )
    const { entries, next, isCut } = await files().list(at('l'), { limit: 100 })
    expect(names(entries)).toEqual(['dir', 'a', 'b', 'outside', 'pipe', 'x', 'z'])
    expect([next, isCut]).toEqual([null, false])
    const [dir, , b, , pipe, x, z] = entries
    expect([dir?.kind, pipe?.kind]).toEqual(['folder', 'pipe'])
    expect(b).toMatchObject({ kind: 'file', sizeBytes: 6, mode: 0o4750, uid: 5, gid: 6, link: null })
    expect(Date.now() - (b?.changedAt.getTime() ?? 0)).toBeLessThan(600_000)
    expect(z).toMatchObject({ kind: 'link', link: { target: Buffer.from('dir'), leadsTo: 'folder' } })
    expect(x?.link).toEqual({ target: Buffer.from('none'), leadsTo: null })
    const pages: string[] = []
    for (let after: FolderAfter; ; ) {
      const page = await files().list(at('l'), { limit: 3, ...(after === undefined ? {} : { after }) })
      pages.push(names(page.entries).join(' '))
      if (page.next === null) break
      after = page.next
    }
    expect(pages).toEqual(['dir a b', 'outside pipe x', 'z'])
    await expect(files().list(at('l/none'), { limit: 1 })).rejects.toMatchObject({ kind: 'not-found' })
    await expect(files().list(at('l/b'), { limit: 1 })).rejects.toMatchObject({ kind: 'invalid' })
    await expect(files().list('l', { limit: 1 })).rejects.toMatchObject({ kind: 'invalid' })
  })

  test('names may be anything: lines, bytes that are no text', async () => {
    const odd = Buffer.from([0x61, 0xff, 0x0a, 0x62])
    const path = Buffer.concat([Buffer.from(at('odd/')), odd])
    await files().makeFolder(at('odd'))
    await files().write(path, from('odd'), { maxBytes: 10 })
    expect((await files().list(at('odd'), { limit: 9 })).entries[0]?.name).toEqual(odd)
    expect(await inside(`cd ${home('odd')}; cat *; ls | wc -l`)).toBe('odd1\n')
    expect(await read(path)).toBe('odd')
    await files().remove(path, within)
    expect((await files().list(at('odd'), { limit: 9 })).entries).toEqual([])
  })

  test('a file arrives whole or not at all, and one that is replaced hands on its owner and mode', async () => {
    await files().makeFolder(at('w'))
    expect(await write('w/new', 'first')).toMatchObject({ kind: 'file', sizeBytes: 5, mode: 0o644 })
    await expect(write('w/new', 'again')).rejects.toMatchObject({ kind: 'already-exists' })
    await inside(`cd ${home('w')}; chown 7:8 new; chmod 6711 new; ln -s new link`)
    expect(await write('w/new', 'second', { replace: true })).toMatchObject({
      ...{ uid: 7, gid: 8, mode: 0o711 },
    })
    // A link is replaced by the file, and what it leads to stays.
    await write('w/link', 'third', { replace: true })
    expect(await inside(`cd ${home('w')}; cat new link`)).toBe('secondthird')
    await expect(write('w', 'x', { replace: true })).rejects.toMatchObject({ kind: 'already-exists' })
    await expect(write('w/none/x', 'x')).rejects.toMatchObject({ kind: 'not-found' })
    await expect(write('w/big', 'x'.repeat(mib + 1))).rejects.toMatchObject({ kind: 'limit-exceeded' })
    async function* breaksOff() {
      yield Buffer.alloc(1_000)
      throw new Error('the sender has gone')
    }
    const broken = Readable.from(breaksOff())
    await expect(files().write(at('w/broken'), broken, { maxBytes: mib })).rejects.toThrow('has gone')
    const stop = new AbortController()
    const silent = new Readable({ read() {} })
    const stopped = files().write(at('w/silent'), silent, { maxBytes: mib, signal: stop.signal })
    silent.push('something')
    stop.abort()
    await expect(stopped).rejects.toMatchObject({ kind: 'canceled' })
    expect(await inside(`ls -A ${home('w')}`)).toBe('link\nnew\n')
  })

  test('a full disk is said, and leaves nothing', async () => {
    await files().makeFolder(at('full'))
    const whole = 200 * mib
    const much = Readable.from(
      (function* () {
        for (let sent = 0; sent < whole; sent += mib) yield Buffer.alloc(mib, 1)
      })(),
    )
    await expect(files().write(at('full/x'), much, { maxBytes: whole })).rejects.toMatchObject({
      ...{ kind: 'limit-exceeded', message: expect.stringContaining('no space') },
    })
    expect((await files().list(at('full'), { limit: 9 })).entries).toEqual([])
    await write('full/y', 'there is room again')
  })

  test('pipes and devices are not opened, and no pipe notices', async () => {
    await inside(`mkdir ${home('p')}; cd ${home('p')}; mkfifo pipe; ln -s /dev/zero dev`)
    const waiting = await given().keepRunning(`cd ${home('p')}; echo x > pipe; touch noticed`)
    await expect(read(at('p/pipe'))).rejects.toMatchObject({ kind: 'invalid' })
    await expect(read(at('p/dev'))).rejects.toMatchObject({
      kind: expect.stringMatching(/invalid|not-found/),
    })
    await expect(write('p/pipe', 'x', { replace: true })).rejects.toMatchObject({ kind: 'invalid' })
    expect(await inside(`ls ${home('p')}`)).toBe('dev\npipe\n')
    await waiting.end()
    await files().remove(at('p/pipe'), within)
  })

  test('a sparse file beyond the limit is refused, one below comes whole, and one that shrinks breaks off', async () => {
    await inside(
      `mkdir ${home('s')}; cd ${home('s')}; truncate -s 1T huge || truncate -s 10G huge; truncate -s 3M small`,
    )
    await expect(read(at('s/huge'))).rejects.toMatchObject({ kind: 'limit-exceeded' })
    const { sizeBytes, stream } = await files().read(at('s/small'), { maxBytes: 64 * mib })
    expect((await buffer(stream)).length).toBe(sizeBytes)
    const shrinking = await files().read(at('s/small'), { maxBytes: 64 * mib })
    await inside(`truncate -s 1 ${home('s/small')}`)
    await expect(buffer(shrinking.stream)).rejects.toMatchObject({ kind: 'failed-precondition' })
    await files().remove(at('s/huge'), within)
  })

  test('a folder comes as a tar, up to a limit', async () => {
    await inside(`mkdir -p ${home('t/in')}; cd ${home('t')}; echo one > in/1; echo two > 2`)
    const found: string[] = []
    const extract = tar.extract()
    ;(await files().pack(at('t'), { maxBytes: mib, maxEntries: 9 })).pipe(extract)
    for await (const entry of extract) {
      found.push(`${entry.header.name} ${await text(entry)}`.trim())
    }
    expect(found.sort()).toEqual(['t', 't/2 two', 't/in', 't/in/1 one'])
    for (const limits of [
      { maxBytes: 7, maxEntries: 9 },
      { maxBytes: mib, maxEntries: 3 },
    ])
      await expect(buffer(await files().pack(at('t'), limits))).rejects.toMatchObject({
        kind: 'limit-exceeded',
      })
  })

  test('what is deleted is gone with all in it, and a folder that is not empty has to be meant', async () => {
    await inside(
      `mkdir -p ${home('d/a/b')}; cd ${home('d')}; echo x > a/b/c; ln -s / a/root; ln -s ../.. a/up`,
    )
    await expect(files().remove(at('d'), within)).rejects.toMatchObject({ kind: 'failed-precondition' })
    expect(await files().remove(at('d'), { ...within, recursive: true })).toEqual({
      removed: 6,
      isDone: true,
    })
    await expect(files().remove(at('d'), within)).rejects.toMatchObject({ kind: 'not-found' })
    await expect(files().remove('/', { ...within, recursive: true })).rejects.toMatchObject({
      kind: 'invalid',
    })
    expect(await inside('ls / | grep -c etc')).toBe('1\n')
  })

  test('links that are exchanged meanwhile lead nowhere else', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'berth-outside-'))
    writeFileSync(join(outside, 'hosts'), 'of the host')
    await inside(
      `mkdir -p ${home('r/real/deep')} ${outside}; cd ${home('r')}; echo mine > real/hosts; ln -s ${outside} link; ln -s ../../../../../../../../../..${outside} up`,
    )
    const swap =
      'while :; do mv real x; mv link real; mv real link; mv up real; mv real up; mv x real; mkdir -p real/deep; done'
    const busy = await given().keepRunning(`cd ${home('r')}; ${swap}`)
    const ignore = () => undefined
    try {
      for (let round = 0; round < 150; round++) {
        expect(await read(at('r/real/hosts')).catch(ignore)).not.toBe('of the host')
        const page = await files().list(at('r/real'), { limit: 9 }).catch(ignore)
        expect(names(page?.entries ?? []).filter((name) => name === 'secret')).toEqual([])
        await write(`r/real/w${round}`, 'in').catch(ignore)
        await write('r/real/hosts', 'mine', { replace: true }).catch(ignore)
        await files()
          .makeFolder(at(`r/real/f${round}`))
          .catch(ignore)
        await files()
          .remove(at('r/real/deep'), { ...within, recursive: true })
          .catch(ignore)
        await files().remove(at('r/real/hosts'), within).catch(ignore)
        if (round === 75) writeFileSync(join(outside, 'secret'), '')
      }
    } finally {
      await busy.end()
    }
    expect(readFileSync(join(outside, 'hosts'), 'utf8')).toBe('of the host')
    expect([existsSync(join(outside, 'w0')), existsSync(join(outside, 'f0'))]).toEqual([false, false])
    await files().remove(at('r'), { ...within, recursive: true })
    rmSync(outside, { recursive: true })
  })
}

type FolderAfter = Parameters<FileTree['list']>[1]['after']
