import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readLines, startEngine, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'
import { conformsToFileTree, from, type LivedIn } from './conformance.ts'

const mib = 2 ** 20
const idRange = { base: 1_000_000, size: 65_536 }
const sh = (script: string) => ['/bin/sh', '-c', script]

let host: TestEngine
let image: string
beforeAll(async () => {
  host = await startEngine()
  image = await host.pull('files:1', {
    command: ['/bin/sleep', '1000'],
    files: { 'opt/a': 'old a' },
    user: 'root',
  })
})
afterAll(() => host.close())

const containers = () => host.engine.containers

async function run(changes: Parameters<TestEngine['spec']>[0] = {}): Promise<string> {
  const spec = host.spec({
    ...{ image, idRange, command: sh('echo ready; exec sleep 1000') },
    limits: { memoryBytes: 256 * mib, cpuMillis: 2_000, pids: 64, diskBytes: 160 * mib },
    ...changes,
  })
  await containers().create(spec)
  await containers().start(spec.id)
  await until('ready', async () => (await readLines(host.engine, spec.id)).includes('ready'))
  return spec.id
}

async function inside(id: string, script: string): Promise<string> {
  const process = await containers().exec(id, { command: sh(script) })
  const said = await text(process.output)
  await process.exited
  return said
}

async function keepRunning(id: string, script: string) {
  const busy = await containers().exec(id, { command: sh(script) })
  return {
    async end() {
      busy.kill()
      await busy.exited
    },
  }
}

describe('of a container', () => {
  let id: string
  beforeAll(async () => {
    id = await run()
    await inside(id, 'mkdir /srv')
  })
  conformsToFileTree(
    (): LivedIn => ({
      ...{ files: containers().files(id), home: '/srv', at: '/srv' },
      inside: (script) => inside(id, script),
      keepRunning: (script) => keepRunning(id, script),
    }),
  )

  test('what is made belongs to its user', async () => {
    const one = await run({ user: '1234:567' })
    const files = containers().files(one)
    expect(await files.write('/tmp/x', from('x'), { maxBytes: 9 })).toMatchObject({ uid: 1234, gid: 567 })
    expect(await files.makeFolder('/tmp/f')).toMatchObject({ uid: 1234, gid: 567, mode: 0o755 })
    expect(await inside(one, 'rm /tmp/x; rmdir /tmp/f; ls -A /tmp')).toBe('')
    await containers().remove(one, { force: true })
  })

  test('what is mounted is seen, and neither deleted with a folder nor entered by that', async () => {
    await host.engine.volumes.create({ name: 'mounted', idRange, sizeBytes: 16 * mib })
    const one = await run({
      mounts: [
        { kind: 'volume', volume: 'mounted', target: '/srv/app/data' },
        { kind: 'tmpfs', target: '/srv/tmp', sizeBytes: mib },
      ],
    })
    const files = containers().files(one)
    await files.write('/srv/app/data/kept', from('kept'), { maxBytes: 9 })
    await files.write('/srv/app/gone', from('gone'), { maxBytes: 9 })
    for (const path of ['/', '/srv', '/srv/app', '/srv/app/data'])
      await expect(files.remove(path, { recursive: true, withinMs: 9_000 }), path).rejects.toMatchObject({
        kind: path === '/' ? 'invalid' : 'failed-precondition',
      })
    // Nothing of the folder is gone, neither what is mounted nor what is not; by another way, what is mounted is not entered.
    expect(await inside(one, 'cat /srv/app/data/kept /srv/app/gone; ln -s /srv /way')).toBe('keptgone')
    await expect(files.remove('/way/app', { recursive: true, withinMs: 9_000 })).rejects.toMatchObject({
      ...{ kind: 'failed-precondition', message: expect.stringContaining('mounted') },
    })
    expect(await inside(one, 'cat /srv/app/data/kept')).toBe('kept')
    await inside(one, 'echo in memory > /srv/tmp/x')
    expect(await text((await files.read('/srv/tmp/x', { maxBytes: 99 })).stream)).toBe('in memory\n')
    for (const make of [
      () => files.write('/srv/tmp/y', from('y'), { maxBytes: 9 }),
      () => files.makeFolder('/srv/tmp/y'),
    ])
      await expect(make()).rejects.toMatchObject({ kind: 'unsupported' })
    await containers().remove(one, { force: true })
    await host.engine.volumes.remove('mounted')
  })

  test('a folder of a hundred thousand names is listed page by page, and says where it is cut', async () => {
    const one = await run({ limits: { memoryBytes: 256 * mib, cpuMillis: 2_000, pids: 64 } })
    const files = containers().files(one)
    await inside(one, 'mkdir /many; cd /many; i=0; while [ $i -lt 100001 ]; do i=$((i+1)); : > $i; done')
    const { entries, next, isCut } = await files.list('/many', { limit: 200 })
    expect([entries.length, isCut, next === null]).toEqual([200, true, false])
    expect(await files.remove('/many', { recursive: true, withinMs: 1 })).toMatchObject({ isDone: false })
    const { removed, isDone } = await files.remove('/many', { recursive: true, withinMs: 60_000 })
    expect([isDone, removed > 50_000]).toEqual([true, true])
    await containers().remove(one, { force: true })
  })

  test('the kernel’s own is neither listed nor read, and a root that is read-only stays so', async () => {
    const one = await run({ readOnlyRoot: true })
    const files = containers().files(one)
    for (const path of [
      '/proc',
      '/proc/1',
      '/proc/sys/kernel',
      '/sys',
      '/proc/self/root',
      '/proc/1/root/etc',
    ])
      await expect(files.list(path, { limit: 9 }), path).rejects.toMatchObject({
        kind: expect.stringMatching(/invalid|not-found/),
      })
    await expect(files.read('/proc/1/environ', { maxBytes: mib })).rejects.toMatchObject({ kind: 'invalid' })
    await expect(files.read('/proc/version', { maxBytes: mib })).rejects.toMatchObject({ kind: 'invalid' })
    await expect(files.write('/opt/x', from('x'), { maxBytes: 9 })).rejects.toMatchObject({
      kind: 'failed-precondition',
    })
    await expect(files.remove('/opt/a', { withinMs: 9_000 })).rejects.toMatchObject({
      kind: 'failed-precondition',
    })
    await containers().remove(one, { force: true })
  })

  test('what is under way ends with it, and one that does not run has no files', async () => {
    const one = await run()
    await inside(one, 'dd if=/dev/zero of=/tmp/x bs=1M count=8 2>/dev/null')
    const files = containers().files(one)
    const { stream } = await files.read('/tmp/x', { maxBytes: 64 * mib })
    const failed = new Promise((resolve) => stream.once('error', resolve))
    await containers().stop(one, { graceMs: 0 })
    expect(await failed).toMatchObject({ kind: 'canceled' })
    await expect(files.list('/', { limit: 1 })).rejects.toMatchObject({ kind: 'failed-precondition' })
    await containers().remove(one)
    expect(() => containers().files(one)).toThrow(/no container/)
  })
})

describe('of a volume', () => {
  let id: string
  beforeAll(async () => {
    await host.engine.volumes.create({ name: 'tree', idRange, sizeBytes: 128 * mib })
    id = await run({ mounts: [{ kind: 'volume', volume: 'tree', target: '/data' }] })
  })
  conformsToFileTree(
    (): LivedIn => ({
      ...{ files: host.engine.volumes.files('tree'), home: '/data', at: '/' },
      inside: (script) => inside(id, script),
      keepRunning: (script) => keepRunning(id, script),
    }),
  )

  test('it is there without a container, and what is made belongs to whoever has the folder', async () => {
    const { volumes } = host.engine
    await volumes.create({ name: 'alone', idRange, sizeBytes: 16 * mib })
    const files = volumes.files('alone')
    await files.makeFolder('/of-app')
    expect(await files.list('/../..', { limit: 9 })).toMatchObject({ entries: [{ uid: 0, gid: 0 }] })
    await files.write('/of-app/x', from('kept'), { maxBytes: 9 })
    const one = await run({ mounts: [{ kind: 'volume', volume: 'alone', target: '/data' }] })
    await inside(one, 'chown 1000:1000 /data/of-app')
    await containers().remove(one, { force: true })
    expect(await files.write('/of-app/y', from('y'), { maxBytes: 9 })).toMatchObject({ uid: 1000, gid: 1000 })
    expect(await text((await files.read('/of-app/x', { maxBytes: 9 })).stream)).toBe('kept')
    await volumes.remove('alone')
    await expect(files.list('/', { limit: 1 })).rejects.toMatchObject({ kind: 'not-found' })
  })

  test('who reads it lets go when its first container fills it, it gets another size, another content, or is removed', async () => {
    const { volumes } = host.engine
    await volumes.create({ name: 'held', idRange, sizeBytes: 32 * mib })
    const files = volumes.files('held')
    await files.write('/x', from(Buffer.alloc(8 * mib, 1)), { maxBytes: 16 * mib })
    await volumes.snapshots.create('snapshot', { volume: 'held' })
    const ends: (() => Promise<unknown>)[] = [
      async () => {
        const mounts = [{ kind: 'volume' as const, volume: 'held', target: '/data' }]
        await containers().remove(await run({ mounts }), { force: true })
      },
      () => volumes.resize('held', 64 * mib),
      async () => {
        await volumes.snapshots.prepareRestore('snapshot', { volume: 'held', keepAs: 'before' })
        await volumes.snapshots.restore('snapshot', { volume: 'held', keepAs: 'before' })
      },
      () => volumes.remove('held'),
    ]
    for (const end of ends) {
      const { stream } = await files.read('/x', { maxBytes: 16 * mib })
      const failed = new Promise((resolve) => stream.once('error', resolve))
      await end()
      // By then, and not only because nobody takes anything of it for a minute.
      expect(stream.destroyed).toBe(true)
      expect(await failed).toMatchObject({ kind: 'canceled' })
    }
  })
})
