import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import tar from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContainerEvent } from '../../../engine/index.ts'
import { collect, readLines, startEngine, type TestEngine } from '../../support/engine.ts'
import { makeTar } from '../../support/images.ts'
import { until } from '../../support/until.ts'

let host: TestEngine
let image: string
beforeAll(async () => {
  host = await startEngine()
  image = await host.pull('files:1', {
    command: ['/bin/sleep', '1000'],
    files: { 'opt/a': 'old a', 'opt/b': 'old b', 'opt/dir/c': 'old c' },
    user: 'root',
  })
})
afterAll(() => host.close())

const sh = (script: string) => ['/bin/sh', '-c', script]
const containers = () => host.engine.containers

async function run(script: string, changes: Parameters<TestEngine['spec']>[0] = {}) {
  const spec = host.spec({ image, command: sh(`${script}; echo ready; exec sleep 1000`), ...changes })
  await containers().create(spec)
  await containers().start(spec.id)
  await until('ready', async () => (await readLines(host.engine, spec.id)).includes('ready'))
  return spec.id
}

async function inside(id: string, script: string): Promise<string> {
  return text((await containers().exec(id, { command: sh(script) })).output)
}

async function unpacked(archive: Readable) {
  const extract = tar.extract()
  archive.on('error', (error) => extract.destroy(error))
  archive.pipe(extract)
  const entries: Record<string, { type: string; content: string; uid: number; mode: number }> = {}
  for await (const entry of extract) {
    const { name, type, uid = 0, mode = 0, linkname } = entry.header
    const content = (await buffer(entry as AsyncIterable<Buffer>)).toString()
    entries[name] = { type: type ?? '', content: linkname ?? content, uid, mode }
  }
  return entries
}

describe('changes', () => {
  const script =
    'echo new > /opt/new; echo more >> /opt/a; rm /opt/b; rm -r /opt/dir; mkdir /opt/dir; chown 5 /opt/new'

  test('diff tells what was added, modified and deleted, of one that runs and one that does not', async () => {
    const limits = { memoryBytes: 64 * 2 ** 20, cpuMillis: 500, pids: 64, diskBytes: 32 * 2 ** 20 }
    const id = await run(script, { limits })
    const expected = [
      { kind: 'modified', path: '/opt' },
      { kind: 'modified', path: '/opt/a' },
      { kind: 'deleted', path: '/opt/b' },
      { kind: 'modified', path: '/opt/dir' },
      { kind: 'added', path: '/opt/new' },
    ]
    expect(await containers().diff(id)).toEqual(expected)
    expect(await containers().inspect(id)).toMatchObject({ status: 'running' })
    // A name that is no text is no reason to say nothing of all the others.
    await inside(id, 'mkdir /opt/dir/in; touch /opt/dir/in/$(printf "a\\377b") /opt/dir/in/é')
    const odd = [{ path: '/opt/dir/in' }, { path: '/opt/dir/in/a\ufffdb' }, { path: '/opt/dir/in/é' }]
    const more = odd.map((each) => ({ kind: 'added', ...each }))
    const found = await containers().diff(id)
    expect(found.toSorted((one, other) => (one.path < other.path ? -1 : 1))).toEqual(found)
    expect(found).toEqual(expect.arrayContaining([...expected, ...more]))
    expect(found).toHaveLength(expected.length + more.length)
    await expect(unpacked(containers().copyOut(id, '/opt/dir'))).rejects.toMatchObject({
      kind: 'unsupported',
    })
    await inside(id, 'rm -r /opt/dir/in')
    await containers().stop(id, { graceMs: 0 })
    expect(await containers().diff(id)).toEqual(expected)
    await containers().remove(id)
  })
})

describe('copy', () => {
  test('out: a file, a folder, a link as a link, also from what is mounted', async () => {
    const id = await run(
      'ln -s /opt /tmp/opt; chown 7 /opt/a; chmod 4755 /opt/a; echo mounted > /scratch/x',
      {
        mounts: [{ kind: 'tmpfs', target: '/scratch', sizeBytes: 2 ** 20 }],
      },
    )
    expect(await unpacked(containers().copyOut(id, '/tmp/opt/a'))).toEqual({
      a: { type: 'file', content: 'old a', uid: 7, mode: 0o4755 },
    })
    expect(Object.keys(await unpacked(containers().copyOut(id, '/opt'))).sort()).toEqual([
      'opt',
      'opt/a',
      'opt/b',
      'opt/dir',
      'opt/dir/c',
    ])
    expect(await unpacked(containers().copyOut(id, '/tmp/opt'))).toMatchObject({
      opt: { type: 'symlink', content: '/opt' },
    })
    expect(await unpacked(containers().copyOut(id, '/scratch/x'))).toMatchObject({
      x: { content: 'mounted\n' },
    })
    await expect(unpacked(containers().copyOut(id, '/opt/none'))).rejects.toMatchObject({ kind: 'not-found' })
    expect(() => containers().copyOut(id, 'opt')).toThrow(/no absolute path/)
    await containers().stop(id, { graceMs: 0 })
    expect(await unpacked(containers().copyOut(id, '/opt/b'))).toMatchObject({ b: { content: 'old b' } })
    await containers().remove(id)
  })

  test('in: files, folders, links and owners arrive, in one that runs and one that does not', async () => {
    const archive = () =>
      makeTar([
        { name: 'sub/deep/file', content: 'hello', uid: 1000, gid: 1000, mode: 0o640 },
        { name: 'sub/link', type: 'symlink', linkname: 'deep/file' },
        { name: 'a', content: 'replaced' },
        { name: 'hard', type: 'link', linkname: 'a' },
      ])
    const id = await run('true')
    await containers().copyIn(id, '/opt', Readable.from([await archive()]))
    const look = 'cd /opt; cat sub/link a hard; stat -c "%u %g %a" sub/deep/file; stat -c %u sub'
    expect(await inside(id, look)).toBe('helloreplacedreplaced1000 1000 640\n0\n')
    await containers().stop(id, { graceMs: 0 })
    await containers().copyIn(id, '/tmp', Readable.from([await archive()]))
    await containers().start(id)
    expect(await inside(id, 'cat /tmp/sub/link')).toBe('hello')
    const none = containers().copyIn(id, '/no/such', Readable.from([await archive()]))
    await expect(none).rejects.toMatchObject({ kind: 'not-found' })
    await containers().remove(id, { force: true })
  })

  test('links lead nowhere but in the container, and what would lead out is refused', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'berth-outside-'))
    const script = `mkdir -p /d ${outside}; ln -s / /d/root; ln -s ../../../../../../.. /d/up; ln -s ${outside} /d/out; ln -s /proc/1/root /d/magic; ln -s /proc/self /d/self`
    const id = await run(script)
    const file = await makeTar([{ name: 'x', content: 'in' }])
    for (const folder of ['/d/out', '/d/up/d', '/d/root/d'])
      await containers().copyIn(id, folder, Readable.from([file]))
    expect(existsSync(join(outside, 'x'))).toBe(false)
    expect(await inside(id, `cat ${outside}/x /d/x`)).toBe('inin')
    // A link that the archive brings itself.
    const linked = await makeTar([
      { name: 'evil', type: 'symlink', linkname: outside },
      { name: 'evil/y', content: 'y' },
    ])
    await containers().copyIn(id, '/tmp', Readable.from([linked]))
    expect(existsSync(join(outside, 'y'))).toBe(false)
    expect(await inside(id, `cat ${outside}/y`)).toBe('y')
    const { hostname } = { hostname: readFileSync('/etc/hostname', 'utf8') }
    const seen = await unpacked(containers().copyOut(id, '/d/up/etc/hostname'))
    expect(seen.hostname?.content).toBe(`${id}\n`)
    expect(seen.hostname?.content).not.toBe(hostname)
    for (const path of [
      '/proc/1/environ',
      '/proc/sys/kernel/hostname',
      '/sys/kernel/x',
      '/d/self/environ',
      '/d/magic/etc/hostname',
    ])
      await expect(unpacked(containers().copyOut(id, path)), path).rejects.toMatchObject({
        kind: expect.stringMatching(/invalid|not-found/),
      })
    const bad = [
      [{ name: '../../x', content: 'x' }],
      [{ name: 'dev', type: 'character-device' as const, devmajor: 1, devminor: 1 }],
      [{ name: 'x', content: 'x', uid: 70_000 }],
      [{ name: 'h', type: 'link' as const, linkname: '../../../etc/passwd' }],
    ]
    for (const entries of bad) {
      const archive = Readable.from([await makeTar(entries)])
      await expect(containers().copyIn(id, '/tmp', archive), JSON.stringify(entries)).rejects.toMatchObject({
        kind: 'invalid',
      })
    }
    await expect(containers().copyIn(id, '/proc', Readable.from([file]))).rejects.toMatchObject({
      kind: 'invalid',
    })
    await expect(
      containers().copyIn(id, '/tmp', Readable.from(['no tar'.repeat(200)])),
    ).rejects.toMatchObject({
      kind: 'corrupt',
    })
    await containers().remove(id, { force: true })
    rmSync(outside, { recursive: true })
  })

  test('a folder that is exchanged for a link while it is copied leads nowhere either', async () => {
    const id = await run('mkdir -p /r/real; echo mine > /r/real/hosts; ln -s /etc /r/link')
    const swap = 'while :; do mv /r/real /r/x; mv /r/link /r/real; mv /r/real /r/link; mv /r/x /r/real; done'
    const busy = await containers().exec(id, { command: sh(swap) })
    const { hosts } = { hosts: readFileSync('/etc/hosts', 'utf8') }
    for (let round = 0; round < 50; round++) {
      const entries = await unpacked(containers().copyOut(id, '/r/real')).catch(() => ({}))
      expect(Object.values(entries).map(({ content }) => content)).not.toContain(hosts)
    }
    busy.kill()
    await containers().remove(id, { force: true })
  })
})

describe('events', () => {
  test('a reader goes on after its cursor, also in another engine, and misses nothing', async () => {
    const stop = new AbortController()
    const first: ContainerEvent[] = []
    const reading = (async () => {
      for await (const event of containers().events({ signal: stop.signal })) first.push(event)
    })()
    const spec = host.spec()
    await containers().create(spec)
    await until('the first', () => first.length === 1)
    stop.abort()
    await reading
    await containers().start(spec.id)
    await host.reopen()
    await containers().stop(spec.id, { graceMs: 0 })
    const after = first[0]?.cursor ?? ''
    const rest: string[] = []
    for await (const { type, container, at } of containers().events({ after })) {
      expect(Date.parse(at)).toBeGreaterThan(0)
      if (container.id === spec.id) rest.push(type)
      if (type === 'exited') void containers().remove(spec.id)
      if (type === 'removed') break
    }
    expect(rest).toEqual(['started', 'exited', 'removed'])
    expect(() => containers().events({ after: 'x' })).toThrow(/no cursor/)
  })

  test('those since a time are told again, and none after a time', async () => {
    const spec = host.spec()
    const since = new Date().toISOString()
    await containers().create(spec)
    // The event is told a moment after the time that the container itself gives.
    const made = new Date().toISOString()
    await until('a later millisecond', () => new Date().toISOString() > made)
    const middle = new Date().toISOString()
    await until('a later millisecond', () => new Date().toISOString() > middle)
    await containers().remove(spec.id)
    const types = async (options: { since: string; until: string }) =>
      (await collect(containers().events(options))).map(({ type }) => type)
    expect(await types({ since, until: new Date().toISOString() })).toEqual(['created', 'removed'])
    expect(await types({ since, until: middle })).toEqual(['created'])
    expect(await types({ since: '1999-01-01', until: '2000-01-01' })).toEqual([])
    const soon = new Date(Date.now() + 200).toISOString()
    expect(await types({ since: middle, until: soon })).toEqual(['removed'])
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(soon))
    expect(() => containers().events({ since: 'yesterday' })).toThrow(/no time/)
  })

  test('an end while no engine was there is an event too', async () => {
    const id = await run('true')
    const { pid } = await containers().inspect(id)
    const before = await until('its start', async () => {
      for await (const event of containers().events({ after: '0' })) {
        if (event.container.id === id && event.type === 'started') return event.cursor
      }
      return null
    })
    await host.engine.close()
    process.kill(pid ?? 0, 'SIGKILL')
    await until('it is gone', () => !existsSync(`/proc/${pid}`))
    await host.reopen().catch(() => {})
    for await (const event of containers().events({ after: before })) {
      expect(event).toMatchObject({ type: 'exited', container: { id, exitCode: 137 } })
      break
    }
    expect((await collect(containers().logs(id))).length).toBe(1)
    await containers().remove(id)
  })
})
