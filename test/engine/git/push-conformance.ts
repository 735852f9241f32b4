/**
 * What every implementation of Git promises of repositories that are pushed to (engine/git/git.ts), with git itself as
 * the client. A new one is a test file that passes how it is reached.
 */
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { IncomingPush, PushSpec } from '../../../engine/index.ts'
import { openPushDoor, type PushDoor } from '../../support/push-door.ts'
import { until } from '../../support/until.ts'
import { type GitStand, gitWork } from './conformance.ts'

const mib = 2 ** 20

/** @param given called within tests; what it answers with is its caller's to close. */
export function conformsToPushes(given: () => Pick<GitStand, 'git' | 'left'>): void {
  let door: PushDoor
  let folder: string
  /** What is asked before a push changes anything, and what that makes of it. */
  let asked: IncomingPush['updates'][]
  let decide: (push: IncomingPush) => Promise<boolean>
  let stop: AbortController
  /** What came of the last push here. */
  let received: Promise<void>

  const specOf = (repository: string): PushSpec => ({ ...gitWork(), repository, maxPackBytes: mib })

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'berth-pushed-'))
    door = await openPushDoor({
      advertise: (repository, sink) => given().git.advertise(specOf(repository), sink),
      receive(repository, exchange) {
        const ask = (push: IncomingPush) => {
          asked.push(push.updates)
          return decide(push)
        }
        received = given().git.receive(specOf(repository), exchange, ask, { signal: stop.signal })
        return received
      },
    })
    await git('init', '-q', '-b', 'main')
  })
  afterAll(async () => {
    await door?.close()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    asked = []
    decide = async () => true
    stop = new AbortController()
    received = Promise.resolve()
  })

  function git(...args: string[]): Promise<{ code: number; said: string }> {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'credential.helper=']
    const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_GLOBAL: '/dev/null' }
    return new Promise((resolve) => {
      execFile('git', ['-C', folder, ...identity, ...args], { env }, (error, out, said) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: out + said }),
      )
    })
  }

  async function commit(files: Record<string, string | Buffer>, message = 'Change'): Promise<string> {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), content)
    }
    await git('add', '-A')
    await git('commit', '-q', '--allow-empty', '-m', message)
    return (await git('rev-parse', 'HEAD')).said.trim()
  }

  const push = (repository: string, ...refs: string[]) =>
    git('push', door.urlOf(repository), ...(refs.length === 0 ? ['main'] : refs))

  async function filesOf(incoming: IncomingPush, sha: string): Promise<string> {
    const sink = new PassThrough()
    const [tar] = await Promise.all([buffer(sink), incoming.pack(sha, sink)])
    return execFileSync('tar', ['-tf', '-'], { input: tar }).toString()
  }

  test('a push is told before anything changes, with its commit and all its files, and shows what is said', async () => {
    const first = await commit(
      { 'index.html': 'one', 'hidden/x': 'y', '.gitattributes': 'hidden export-ignore\n' },
      'Begin\n\nAnd more.',
    )
    let files = ''
    decide = async (incoming) => {
      expect(await incoming.commit(first)).toMatchObject({ sha: first, subject: 'Begin', author: 'Ada' })
      files = await filesOf(incoming, first)
      await expect(incoming.commit('0'.repeat(40))).rejects.toMatchObject({ name: 'GitFailure' })
      incoming.say('it is looked at')
      return true
    }
    const taken = await push('told')
    expect(taken).toMatchObject({ code: 0, said: expect.stringContaining('remote: it is looked at') })
    // Whatever the repository says of archives, what is pushed is there.
    expect(files.split('\n')).toEqual(expect.arrayContaining(['index.html', 'hidden/x', '.gitattributes']))
    const ref = 'refs/heads/main'
    expect(asked).toEqual([[{ ref, before: null, after: first }]])
    expect((await push('told')).said).toContain('Everything up-to-date')
    decide = async () => true
    const second = await commit({ 'index.html': 'two' })
    expect((await push('told', 'main', 'main:other')).code).toBe(0)
    expect(asked.slice(1)).toEqual([
      expect.arrayContaining([
        { ref, before: first, after: second },
        { ref: 'refs/heads/other', before: null, after: second },
      ]),
    ])
    await received
    expect(await given().left()).toEqual([])
  })

  test('a push that is refused, or that nobody could decide on, changes nothing and can be sent again', async () => {
    const sha = await commit({ 'index.html': 'three' })
    decide = async (incoming) => {
      incoming.say('not like this')
      return false
    }
    const refused = await push('refused')
    expect(refused.code).not.toBe(0)
    expect(refused.said).toContain('remote: not like this')
    expect(refused.said).toContain('pre-receive hook declined')
    const failed = new Error('nobody is there to decide')
    decide = () => Promise.reject(failed)
    expect((await push('refused')).code).not.toBe(0)
    await expect(received).rejects.toBe(failed)
    decide = async () => true
    expect((await push('refused')).code).toBe(0)
    const update = { ref: 'refs/heads/main', before: null, after: sha }
    expect(asked).toEqual([[update], [update], [update]])
  })

  test('nothing that was pushed is deleted, whatever is decided', async () => {
    const sha = await commit({ 'index.html': 'four' })
    await push('kept', 'main', 'main:other')
    const deleted = await push('kept', ':other')
    expect(deleted.code).not.toBe(0)
    expect(asked.at(-1)).toEqual([{ ref: 'refs/heads/other', before: sha, after: null }])
    expect((await push('kept', 'main:other')).said).toContain('Everything up-to-date')
  })

  test('a pack that is too large is refused before anybody is asked, and what is no push changes nothing', async () => {
    const noise = execFileSync('head', ['-c', String(3 * mib), '/dev/urandom'], { maxBuffer: 2 ** 24 })
    await commit({ noise })
    expect((await push('limited')).code).not.toBe(0)
    await git('reset', '-q', '--hard', 'HEAD~1')
    for (const nonsense of ['', '0000', 'nonsense', `00a0${'x'.repeat(156)}`, 'ffff']) {
      const output = new PassThrough().resume()
      const exchange = { input: Readable.from([Buffer.from(nonsense)]), output }
      await given()
        .git.receive(specOf('limited'), exchange, async () => true)
        .catch((error) => expect(error).toMatchObject({ name: 'GitFailure' }))
    }
    expect(asked).toEqual([])
    expect((await push('limited')).code).toBe(0)
    await received
    expect(await given().left()).toEqual([])
  })

  test('a push that is called off while it is decided on ends with the reason, and has changed nothing', async () => {
    const sha = await commit({ 'index.html': 'five' })
    const reason = new Error('called off')
    decide = () => new Promise(() => undefined)
    const pushing = push('called-off')
    await until('it is asked', () => asked.length === 1)
    const settled = expect(received).rejects.toBe(reason)
    stop.abort(reason)
    await settled
    expect((await pushing).code).not.toBe(0)
    expect(await given().left()).toEqual([])
    stop = new AbortController()
    decide = async () => true
    expect((await push('called-off')).code).toBe(0)
    expect(asked.at(-1)).toEqual([{ ref: 'refs/heads/main', before: null, after: sha }])
  })

  test('repositories know nothing of each other, and one that is dropped begins anew', async () => {
    const sha = await commit({ 'index.html': 'six' })
    await push('first')
    await push('second')
    await given().git.dropRepository('first')
    await given().git.dropRepository('first')
    await given().git.dropRepository('never-there')
    expect((await push('second')).said).toContain('Everything up-to-date')
    expect((await push('first')).code).toBe(0)
    const update = { ref: 'refs/heads/main', before: null, after: sha }
    expect(asked).toEqual([[update], [update], [update]])
  })

  test('names that lead elsewhere are refused', async () => {
    for (const changes of [
      { id: '../x' },
      { id: 'A' },
      { repository: '../x' },
      { repository: '' },
      { repository: '-x' },
    ]) {
      const spec = { ...specOf('named'), ...changes }
      const exchange = { input: Readable.from([]), output: new PassThrough() }
      for (const work of [
        () => given().git.advertise(spec, new PassThrough()),
        () => given().git.receive(spec, exchange, async () => true),
      ])
        await expect(work()).rejects.toMatchObject({ kind: 'invalid' })
    }
  })
}
