import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEngine, type TestEngine } from '../../support/engine.ts'
import { makeTar } from '../../support/images.ts'
import { until } from '../../support/until.ts'

const mib = 2 ** 20
const limits = { memoryBytes: 64 * mib, cpuMillis: 500, pids: 32, diskBytes: 16 * mib }

let host: TestEngine
let bare: string
beforeAll(async () => {
  host = await startEngine()
  const program = { name: 'busybox', content: readFileSync('/bin/busybox'), mode: 0o755 }
  const kept = { name: 'data/kept', content: 'of the app', mode: 0o640, uid: 1000, gid: 1000 }
  bare = await host.pull('bare:1', {
    ...{
      bare: true,
      user: '1000:1000',
      entrypoint: ['/busybox', 'httpd', '-f', '-p', '8080', '-h', '/data'],
    },
    layers: [await makeTar([program, kept])],
  })
})
afterAll(() => host?.close())

const containers = () => host.engine.containers

async function run(changes: Parameters<TestEngine['spec']>[0] = {}): Promise<string> {
  const spec = host.spec({ image: bare, ...changes })
  await containers().create(spec)
  await containers().start(spec.id)
  return spec.id
}

async function inside(id: string, script: string): Promise<string> {
  return text((await containers().exec(id, { command: ['sh', '-c', script] })).output)
}

test('they see the processes, the network and the files of an image that has no shell', async () => {
  const id = await run()
  await expect(containers().exec(id, { command: ['sh'] })).rejects.toMatchObject({ kind: 'invalid' })
  const tools = await host.engine.tools.beside(id, { limits })
  expect(await inside(tools.id, 'id -u; id -g; hostname')).toBe('1000\n1000\ntools\n')
  expect(await inside(tools.id, 'ps -o pid,args')).toMatch(/^ +1 \/busybox httpd -f -p 8080/m)
  expect(await inside(tools.id, 'cat /proc/1/root/data/kept')).toBe('of the app')
  const ask = 'wget -qO- http://127.0.0.1:8080/kept'
  await until('the app answers', async () => (await inside(tools.id, ask)) === 'of the app')
  const [theirs, ours] = [await containers().inspect(id), await containers().inspect(tools.id)]
  for (const kind of ['user', 'pid', 'net'])
    expect(namespaceOf(ours.pid, kind), kind).toBe(namespaceOf(theirs.pid, kind))
  for (const kind of ['mnt', 'ipc', 'uts', 'cgroup'])
    expect(namespaceOf(ours.pid, kind), kind).not.toBe(namespaceOf(theirs.pid, kind))
  expect(ours.isolation.namespaces).toEqual(['mount', 'ipc', 'uts', 'cgroup'])
  // No more rights than any container.
  expect(ours.isolation).toEqual({ ...theirs.isolation, namespaces: ours.isolation.namespaces })
  expect(await inside(tools.id, 'mount -t tmpfs x /tmp 2>&1; cat /proc/self/status')).toMatch(
    /(not permitted|denied|must be|are you root)[\s\S]*NoNewPrivs:\t1\nSeccomp:\t2/i,
  )
  await containers().remove(tools.id, { force: true })
  expect(await containers().inspect(id)).toMatchObject({ status: 'running', restarts: 0 })
  await containers().remove(id, { force: true })
})

test('their limits are their own, and what runs in them ends with them and not with the app', async () => {
  const id = await run()
  const tools = await host.engine.tools.beside(id, { limits })
  const many = 'for i in $(seq 1 100); do sleep 7171 & done 2>&1'
  expect(await inside(tools.id, many)).toContain("can't fork")
  expect(pidsWith('7171')).toBeGreaterThan(10)
  await containers().remove(tools.id, { force: true })
  const others = await host.engine.tools.beside(id, { limits })
  const left = await containers().exec(others.id, {
    command: ['sh', '-c', 'setsid sleep 7272 & echo runs; exec sleep 7373'],
  })
  await once(left.output, 'data')
  await containers().remove(others.id, { force: true })
  expect(await left.exited).toBe(137)
  for (const each of ['7171', '7272', '7373']) expect(pidsWith(each)).toBe(0)
  expect(await containers().inspect(id)).toMatchObject({ status: 'running', oomKilled: false, restarts: 0 })
  await containers().remove(id, { force: true })
})

test('they end with the app, and are not started beside one that does not run', async () => {
  const id = await run()
  const tools = await host.engine.tools.beside(id, { limits })
  const shell = await containers().exec(tools.id, { command: ['sh', '-c', 'echo runs; exec sleep 1000'] })
  await once(shell.output, 'data')
  await containers().stop(id, { graceMs: 0 })
  expect(await shell.exited).toBe(137)
  await until('they have ended', async () => (await containers().inspect(tools.id)).status === 'exited')
  await containers().remove(tools.id)
  await expect(host.engine.tools.beside(id, { limits })).rejects.toMatchObject({
    kind: 'failed-precondition',
  })
  await containers().remove(id)
  expect(await containers().list()).toEqual([])
})

test('what a killed engine left of them goes when the next one opens, and the app runs on', async () => {
  const id = await run()
  const before = await containers().inspect(id)
  const tools = await host.engine.tools.beside(id, { limits })
  await host.reopen()
  await expect(containers().inspect(tools.id)).rejects.toMatchObject({ kind: 'not-found' })
  expect(await containers().inspect(id)).toMatchObject({ status: 'running', pid: before.pid })
  const again = await host.engine.tools.beside(id, { limits })
  expect(await inside(again.id, 'cat /proc/1/root/data/kept')).toBe('of the app')
  for (const each of [again.id, id]) await containers().remove(each, { force: true })
})

test('a file that their user may not look into stays closed, and another id range can’t be joined', async () => {
  const id = await run({ user: '0' })
  const tools = await host.engine.tools.beside(id, { limits })
  expect(await inside(tools.id, 'id -u; cat /proc/1/root/data/kept')).toBe('0\nof the app')
  await containers().remove(tools.id, { force: true })
  const other = { base: 3_000_000, size: 65_536 }
  const spec = host.spec({ joins: id, idRange: other })
  await containers().create(spec)
  await expect(containers().start(spec.id)).rejects.toMatchObject({ kind: 'invalid' })
  for (const each of [spec.id, id]) await containers().remove(each, { force: true })
})

/** On this host, that sleep for so long. */
function pidsWith(seconds: string): number {
  const lines = readdirSync('/proc').map((pid) => {
    try {
      return /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'latin1') : ''
    } catch {
      return ''
    }
  })
  return lines.filter((line) => line === `sleep\0${seconds}\0`).length
}

function namespaceOf(pid: number | null, kind: string): string {
  return readlinkSync(`/proc/${pid}/ns/${kind}`)
}
