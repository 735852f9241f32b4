/**
 * What every implementation of Git promises of repositories elsewhere (engine/git/git.ts), against a real server by https
 * and ssh. A new one is a test file that passes how it is reached.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { beforeAll, expect, test } from 'vitest'
import { type FetchSpec, type Git, GitFailure, type GitRef, type Remote } from '../../../engine/index.ts'
import { type GitServer, plainGit, type Repository } from '../../support/git-server.ts'

export interface GitStand {
  git: Git
  server: GitServer
  /** Names of whatever work has left behind. */
  left(): Promise<string[]>
}

let last = 0
const main: GitRef = { kind: 'branch', name: 'main' }

/** Ids and limits of one piece of work. */
export const gitWork = () => ({
  id: `g${++last}`,
  idRange: { base: 1_600_000_000, size: 65_536 },
  limits: {
    ...{ memoryBytes: 256 * 2 ** 20, cpuMillis: 1_000, pids: 128 },
    ...{ diskBytes: 64 * 2 ** 20, timeMs: 60_000 },
  },
})

/** @param given called within tests; what it answers with is its caller's to close. */
export function conformsToGit(given: () => GitStand): void {
  const server = () => given().server
  let shop: Repository
  beforeAll(() => {
    shop = server().create('public/shop.git', { Dockerfile: 'FROM scratch\n', 'web/index.html': 'hello' })
    server().create('private/shop.git', { secret: 'yes' })
  })

  const https = (name: string): Remote => ({ url: server().httpsUrl(name), ca: server().ca })

  async function fetch(remote: Remote, ref: GitRef = main, more: Partial<FetchSpec> = {}) {
    const sink = new PassThrough()
    const [tar, fetched] = await Promise.all([
      buffer(sink).catch(() => Buffer.alloc(0)),
      given()
        .git.fetch({ ...gitWork(), remote, ref, ...more }, sink)
        .catch((error) => {
          sink.destroy()
          throw error
        }),
    ])
    const files = execFileSync('tar', ['-tf', '-'], { input: tar })
      .toString()
      .trim()
      .split('\n')
      .filter((name) => !name.endsWith('/'))
      .sort()
    return { ...fetched, files, tar }
  }

  async function failure(work: Promise<unknown>): Promise<string> {
    const error = await work.then(
      () => null,
      (reason) => reason,
    )
    if (error instanceof GitFailure) return error.reason
    throw error ?? new Error('it did not fail')
  }

  function makeKey(): { sshKey: string; publicKey: string } {
    const folder = mkdtempSync(join(tmpdir(), 'berth-key-'))
    try {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')])
      const read = (name: string) => readFileSync(join(folder, name), 'utf8')
      return { sshKey: read('key'), publicKey: read('key.pub').trim() }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  test('a branch, a tag and a commit by https, each with who made it and what for', async () => {
    const first = shop.git('rev-parse', 'main')
    shop.git('tag', '-a', '-m', 'one', 'v1', 'main')
    const second = shop.commit({ 'web/index.html': 'hello again' }, { message: 'Say it again\n\nAnd more.' })
    const newest = await fetch(https('public/shop.git'))
    expect(newest.files).toEqual(['./Dockerfile', './web/index.html'])
    expect(newest.commit).toMatchObject({ sha: second, subject: 'Say it again', author: 'Ada' })
    expect(Math.abs(Date.now() - newest.commit.at.getTime())).toBeLessThan(600_000)
    expect(newest.tar.includes('hello again')).toBe(true)
    expect((await fetch(https('public/shop.git'), { kind: 'tag', name: 'v1' })).commit.sha).toBe(first)
    expect((await fetch(https('public/shop.git'), { kind: 'commit', name: first })).commit.sha).toBe(first)
    expect((await fetch(https('public/shop.git'), main, { sha: first })).commit.sha).toBe(first)
    expect(await failure(fetch(https('public/shop.git'), { kind: 'branch', name: 'none' }))).toBe(
      'ref-missing',
    )
  })

  test('a private repository is refused without, and had with the password, which no other host is told', async () => {
    expect(await failure(fetch(https('private/shop.git')))).toBe('denied')
    const credentials = { username: 'deploy', password: server().password }
    expect(
      await failure(fetch({ ...https('private/shop.git'), credentials: { ...credentials, password: 'no' } })),
    ).toBe('denied')
    expect((await fetch({ ...https('private/shop.git'), credentials })).files).toEqual(['./secret'])
    expect(await failure(fetch({ url: server().httpsUrl('public/shop.git') }))).toBe('certificate')
  })

  test('a deploy key lets in by ssh; the host is known by its key, first by what it shows', async () => {
    const { sshKey, publicKey } = makeKey()
    const remote = { url: server().sshUrl('private/shop.git'), sshKey }
    expect(await failure(fetch(remote))).toBe('denied')
    server().allowKey(publicKey)
    const first = await fetch(remote)
    expect(first).toMatchObject({ files: ['./secret'], hostKeys: [server().hostKey] })
    const known = { ...remote, hostKeys: first.hostKeys }
    expect(await fetch(known)).toMatchObject({ files: ['./secret'], hostKeys: [] })
    await server().changeHostKey()
    expect(await failure(fetch(known))).toBe('host-key')
  })

  test('what a look says: where a branch is, and which paths are others since a commit', async () => {
    const before = shop.git('rev-parse', 'main')
    const look = (since: string | null, ref = main) =>
      given().git.look({ ...gitWork(), remote: https('public/shop.git'), ref, since })
    expect(await look(null)).toEqual({ sha: before, changed: null, hostKeys: [] })
    const after = shop.commit({ 'api/main.go': 'x', 'ü b/c': 'y' })
    expect(await look(before)).toEqual({ sha: after, changed: ['api/main.go', 'ü b/c'], hostKeys: [] })
    expect((await look(`${'0'.repeat(39)}1`)).changed).toBeNull()
    expect((await look(null, { kind: 'tag', name: 'v1' })).sha).toBe(shop.git('rev-parse', 'v1^{commit}'))
    expect(await failure(look(null, { kind: 'tag', name: 'v9' }))).toBe('ref-missing')
  })

  /** Adds one that names `url`, whatever is there. */
  function addSubmodule(parent: Repository, url: string, path: string): void {
    const folder = mkdtempSync(join(tmpdir(), 'berth-sub-'))
    const settings = ['user.name=a', 'user.email=a@b', 'protocol.file.allow=always'].flatMap((each) => [
      '-c',
      each,
    ])
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', folder, ...settings, ...args], {
        ...{ stdio: 'pipe' as const, env: { ...process.env, ...plainGit } },
      })
    const bare = parent.git('rev-parse', '--absolute-git-dir')
    git('clone', '-q', bare, '.')
    git('submodule', 'add', '-q', join(bare, '../library.git'), path)
    git('config', '-f', '.gitmodules', `submodule.${path}.url`, url)
    git('commit', '-qam', 'Add a submodule')
    git('push', '-q', 'origin', 'HEAD:main')
    rmSync(folder, { recursive: true, force: true })
  }

  test('submodules come along by https, and never from a path of a machine', async () => {
    server().create('public/library.git', { 'lib.txt': 'library' })
    const parent = server().create('public/parent.git', { Dockerfile: 'FROM scratch\n' })
    addSubmodule(parent, '../library.git', 'lib')
    expect((await fetch(https('public/parent.git'))).files).toEqual([
      './.gitmodules',
      './Dockerfile',
      './lib/lib.txt',
    ])
    addSubmodule(parent, '/etc', 'host')
    expect(await failure(fetch(https('public/parent.git')))).toBe('failed')
  })

  test('submodules come along by ssh from the same host, with the same key, and from no host that is not known', async () => {
    const { sshKey, publicKey } = makeKey()
    server().allowKey(publicKey)
    server().create('private/library.git', { 'lib.txt': 'library' })
    const parent = server().create('private/parent.git', { Dockerfile: 'FROM scratch\n' })
    addSubmodule(parent, '../library.git', 'lib')
    const remote = { url: server().sshUrl('private/parent.git'), sshKey }
    const files = ['./.gitmodules', './Dockerfile', './lib/lib.txt']
    const first = await fetch(remote)
    expect(first).toMatchObject({ files, hostKeys: [server().hostKey] })
    expect(await fetch({ ...remote, hostKeys: first.hostKeys })).toMatchObject({ files })
    // The same machine by another name is nobody that is known.
    const elsewhere = server()
      .sshUrl('private/library.git')
      .replace(server().address, `[::ffff:${server().address}]`)
    addSubmodule(parent, elsewhere, 'other')
    const refused = await fetch(remote).catch((error) => error)
    expect(refused).toMatchObject({
      reason: 'host-key',
      message: expect.stringMatching(/^No .* host key is known for /),
    })
  })

  test('neither hooks, nor filters, nor links of a repository run anything or lead out of it', async () => {
    const hostile = server().create('public/hostile.git', {
      '.gitattributes': '* filter=evil\n',
      '.git-hooks/post-checkout': '#!/bin/sh\necho ran >/work/source/ran\n',
      '.gitconfig': '[core]\nhooksPath = .git-hooks\n[filter "evil"]\nsmudge = echo ran\n',
      plain: 'plain',
    })
    expect(hostile.git('rev-parse', 'main')).toMatch(/^[0-9a-f]{40}$/)
    const { files, tar } = await fetch(https('public/hostile.git'))
    expect(files).toEqual(['./.git-hooks/post-checkout', './.gitattributes', './.gitconfig', './plain'])
    expect(tar.includes('plain')).toBe(true)
  })

  test('it ends at its limits and when it is called off, and leaves nothing', async () => {
    const big = server().create('public/big.git', { a: 'a' })
    const noise = execFileSync('head', ['-c', String(40 * 2 ** 20), '/dev/urandom'], { maxBuffer: 2 ** 28 })
    big.commit({ noise: noise.toString('latin1') })
    const limits = { ...gitWork().limits, diskBytes: 32 * 2 ** 20 }
    expect(await failure(fetch(https('public/big.git'), main, { limits }))).toBe('disk-full')
    expect(
      await failure(fetch(https('public/big.git'), main, { limits: { ...gitWork().limits, timeMs: 300 } })),
    ).toBe('timeout')
    const stop = new AbortController()
    const spec = { ...gitWork(), remote: https('public/big.git'), ref: main }
    const fetching = given().git.fetch(spec, new PassThrough().resume(), {
      signal: stop.signal,
      onLine: () => stop.abort(new Error('off')),
    })
    setTimeout(() => stop.abort(new Error('off')), 500)
    await expect(fetching).rejects.toThrow('off')
    expect(await given().left()).toEqual([])
  })

  test("the host's own services and metadata addresses are out of reach, wherever an address or a redirect leads", async () => {
    for (const url of [
      'https://127.0.0.1:1/x',
      'https://169.254.169.254/x',
      `https://${server().address.replace(/2$/, '1')}:22/x`,
    ])
      expect(
        await failure(fetch({ url }, main, { limits: { ...gitWork().limits, timeMs: 15_000 } })),
      ).toMatch(/^(unreachable|timeout)$/)
    const moved = `${server().httpsUrl('moved/x')}?to=http://127.0.0.1/`
    expect(await failure(fetch({ url: moved, ca: server().ca }))).toBe('failed')
  })

  test('addresses, names and keys that are options, other protocols or lines of a configuration are refused', async () => {
    const refused = (remote: Partial<Remote>, ref: GitRef = main) =>
      expect(fetch({ ...https('public/shop.git'), ...remote }, ref)).rejects.toMatchObject({
        kind: 'invalid',
      })
    for (const url of [
      ...['/etc', 'file:///etc', 'ext::sh -c x', 'git://host/x', 'http://host/x', 'https://a:b@host/x'],
      ...['ssh://-oProxyCommand=x/y', 'https://ho st/x', 'https://host/x\n[core]', '--upload-pack=x'],
    ])
      await refused({ url })
    for (const name of ['-x', '--upload-pack=x', 'a..b', 'a b', 'a\nb', 'a:b', '', 'a~1', '*'])
      await refused({}, { kind: 'branch', name })
    await refused({}, { kind: 'commit', name: 'main' })
    await refused({ hostKeys: ['ssh-ed25519 AAAA\n* ssh-rsa AAAA'] })
    await refused({ credentials: { username: 'a', password: 'b\nurl=https://other' } })
  })

  test('files kept by LFS come along, with the same credentials, and no more of them than the disk takes', async (c) => {
    if (!existsSync('/usr/bin/git-lfs')) {
      console.info('not tested: LFS: there is no git-lfs on this host (apt-get install git-lfs)')
      return c.skip()
    }
    const pointer = server().keepByLfs('kept by LFS')
    const attributes = '*.bin filter=lfs diff=lfs merge=lfs -text\n'
    const files = { '.gitattributes': attributes, 'large.bin': pointer, 'plain.txt': 'plain' }
    server().create('private/large.git', files)
    server().create('public/large.git', files)
    const credentials = { username: 'deploy', password: server().password }
    for (const remote of [https('public/large.git'), { ...https('private/large.git'), credentials }]) {
      const { tar } = await fetch(remote)
      expect(tar.includes('kept by LFS')).toBe(true)
      expect(tar.includes('git-lfs.github.com')).toBe(false)
    }
    expect(
      server()
        .asked()
        .some((line) => /POST \/private\/large\.git\/info\/lfs\/.* Basic /.test(line)),
    ).toBe(true)
    expect(await failure(fetch(https('private/large.git')))).toBe('denied')
    // By ssh it is the host that says what lets in.
    const { sshKey, publicKey } = makeKey()
    server().allowKey(publicKey)
    const byKey = await fetch({ url: server().sshUrl('private/large.git'), sshKey, ca: server().ca })
    expect(byKey.files).toEqual(['./.gitattributes', './large.bin', './plain.txt'])
    expect(byKey.tar.includes('kept by LFS')).toBe(true)
    expect(byKey.tar.includes('git-lfs.github.com')).toBe(false)
    // One that is not there is no file of a few lines.
    const missing = pointer.replace(/sha256:..../, 'sha256:0000')
    server().create('public/missing.git', { ...files, 'large.bin': missing })
    expect(await failure(fetch(https('public/missing.git')))).toBe('failed')
    const large = server().keepByLfs('x'.repeat(96 * 2 ** 20))
    server().create('public/huge.git', { ...files, 'large.bin': large })
    expect(await failure(fetch(https('public/huge.git')))).toBe('disk-full')
  })
}
