/** What a container does on disk: counted, kept out of its memory, and slowed where it is to be. v1 and v2 alike. */
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readLines, startEngine, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'

let host: TestEngine
beforeAll(async () => {
  host = await startEngine()
})
afterAll(() => host?.close())

const mib = 2 ** 20
const limits = { memoryBytes: 128 * mib, cpuMillis: 1_000, pids: 16 }

async function run(
  script: string,
  more: Partial<typeof limits> & { io?: { writeBytesPerSecond?: number } } = {},
) {
  const spec = host.spec({ limits: { ...limits, ...more }, command: ['/bin/sh', '-c', script] })
  await host.engine.containers.create(spec)
  return host.engine.containers.start(spec.id)
}

test('what is written is counted, and what the kernel keeps of it for later is no memory in use', async () => {
  const { containers } = host.engine
  const write =
    'dd if=/dev/zero of=/file bs=1M count=32 conv=fsync 2>/dev/null; echo written; exec sleep 1000'
  const { id } = await run(write)
  await until('it is written', async () => (await readLines(host.engine, id)).includes('written'))
  const stats = await containers.stats(id)
  expect(stats.writtenBytes).toBeGreaterThanOrEqual(32 * mib)
  expect(stats.writes).toBeGreaterThan(0)
  expect(stats.memoryCacheBytes).toBeGreaterThan(24 * mib)
  expect(stats.memoryBytes).toBeLessThan(16 * mib)
  await containers.remove(id, { force: true })
})

test('writing is as fast as it may be, and as the disk once it may', async () => {
  const { containers } = host.engine
  const write = 'dd if=/dev/zero of=/file bs=1M count=4 conv=fsync 2>/dev/null'
  const script = `while ! test -e /go; do sleep 0.05; done; ${write}; echo slow; while ! test -e /free; do sleep 0.05; done; ${write}; echo fast; exec sleep 1000`
  const { id, pid } = await run(script, { io: { writeBytesPerSecond: 2 * mib } })
  const letGo = async (name: string, word: string) => {
    const startMs = performance.now()
    await (await containers.exec(id, { command: ['/bin/touch', name] })).exited
    await until(word, async () => (await readLines(host.engine, id)).includes(word))
    return performance.now() - startMs
  }
  // Four mebibytes at two a second; the first of them may go at once.
  expect(await letGo('/go', 'slow')).toBeGreaterThan(1_200)
  const limit = () => {
    const folder = `/proc/${pid}/root/sys/fs/cgroup`
    const isV2 = existsSync(`${folder}/io.max`)
    return readFileSync(`${folder}/${isV2 ? 'io.max' : 'blkio/blkio.throttle.write_bps_device'}`, 'utf8')
  }
  expect(limit()).toContain(String(2 * mib))
  await containers.update(id, { limits: { io: {} } })
  expect(limit()).not.toContain(String(2 * mib))
  expect((await containers.inspect(id)).spec.limits.io).toEqual({})
  await letGo('/free', 'fast')
  await containers.remove(id, { force: true })
})
