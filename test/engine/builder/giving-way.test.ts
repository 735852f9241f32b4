import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { areBusy } from '../../../engine/builder/apps-at-work.ts'
import { nextWay } from '../../../engine/builder/giving-way.ts'
import { parseProcessors, partOf, processorsOfHost } from '../../../engine/sys/processors.ts'
import { startBuilder, type TestBuilder } from '../../support/builder.ts'
import { instanceOf } from '../../support/engine.ts'
import { mayPassCache, passesCache } from '../../support/loop-devices.ts'
import { until } from '../../support/until.ts'

let builder: TestBuilder
const loops: ChildProcess[] = []

beforeAll(async () => {
  builder = await startBuilder()
  await builder.base('base:1', {})
})
afterEach(endLoops)
afterAll(() => builder?.close())

test('a build that wants the processors leaves them to whoever else on the host wants them', async () => {
  // Its group is at the top, where the edge and everybody else's are: no share above it is used up by it.
  const { id, end } = await endlessBuild()
  expect(processorsOf(id)).toBe(2)
  expect((await builder.t.engine.containers.stats(id)).cpuNs).toBeGreaterThan(0)
  await end()
})

test('where others take every processor a build gets a share all the same, and gives way once it wants none', async () => {
  const { id, end } = await endlessBuild()
  busyHost()
  await until('it has a share', () => !isIdle(id) && shareOf(id) === 1)
  // Held still, it is as if it waited for something else; the loops go on.
  for (const { hostPid } of await builder.t.engine.containers.top(id)) process.kill(hostPid, 'SIGSTOP')
  await until('it gives way again', () => isIdle(id))
  await end()
})

test('while an app works some processors are left to it, and none once it is still or the build gets nearly nothing', async () => {
  const { t } = builder
  const all = processorsOfHost().map(({ number }) => number)
  const some = partOf(processorsOfHost())
  // Of one processor alone there is no part.
  expect(some === null).toBe(all.length === 1)
  const { id, end } = await endlessBuild()
  const mayUse = async (numbers: readonly number[]) => {
    const found = await t.engine.containers.top(id)
    return found.length > 0 && found.every(({ hostPid }) => `${allowedOf(hostPid)}` === `${numbers}`)
  }
  expect(await mayUse(all)).toBe(true)
  const app = t.spec({ command: ['/bin/sh', '-c', 'while :; do :; done'] })
  await t.engine.containers.create(app)
  await t.engine.containers.start(app.id)
  await until('it leaves some', () => mayUse(parseProcessors(some ?? `${all}`)))
  await t.engine.containers.pause(app.id)
  await until('it has all of them', () => mayUse(all))
  await t.engine.containers.resume(app.id)
  await until('it leaves some again', () => mayUse(parseProcessors(some ?? `${all}`)))
  busyHost()
  await until('it has all of them, as others do', async () => !isIdle(id) && (await mayUse(all)))
  await t.engine.containers.remove(app.id, { force: true })
  await end()
})

test('what a build writes is in memory once, and written back once, where what is below its disk allows that', async () => {
  const { id, end } = await endlessBuild()
  const { mounts } = (await builder.t.engine.containers.inspect(id)).spec
  const volume = mounts?.find((mount) => mount.kind === 'volume')?.volume ?? ''
  const disk = join(builder.t.stateDir, 'volumes', volume, 'disk')
  if (mayPassCache(builder.t.stateDir))
    await until('it goes past the cache of the host', () => passesCache(disk))
  await end()
})

test('an app that looks at the clock now and then is still, and one that is asked now and then is not', () => {
  expect(areBusy(false, 0.008)).toBe(false)
  expect(areBusy(false, 0.02)).toBe(true)
  expect(areBusy(true, 0.008)).toBe(true)
  expect(areBusy(true, 0.001)).toBe(false)
})

test('a share is of what a build could use, and grows by what others leave it', () => {
  expect(nextWay('at-once', { had: 1.9, wants: 2 })).toBe('at-once')
  expect(nextWay('at-once', { had: 0.02, wants: 2 })).toBe('small')
  // A single thread on a large host has all that it wants.
  expect(nextWay('at-once', { had: 1, wants: 1 })).toBe('at-once')
  expect(nextWay('at-once', { had: 0, wants: 0 })).toBe('at-once')
  // A tenth of what an app gets is no sign that the host has time again, nor that it gets too little.
  expect(nextWay('small', { had: 0.18, wants: 2 })).toBe('small')
  expect(nextWay('small', { had: 0.04, wants: 2 })).toBe('equal')
  expect(nextWay('small', { had: 1, wants: 2 })).toBe('at-once')
  expect(nextWay('equal', { had: 0.3, wants: 2 })).toBe('equal')
  expect(nextWay('equal', { had: 1, wants: 2 })).toBe('small')
  expect(nextWay('equal', { had: 0, wants: 0 })).toBe('small')
  expect(nextWay('small', { had: 0, wants: 0 })).toBe('at-once')
})

/** One whose step uses a processor without end, and that was seen to give way when it began. */
async function endlessBuild(): Promise<{ id: string; end: () => Promise<void> }> {
  const stop = new AbortController()
  const steps = `FROM ${builder.host}/base:1\nRUN echo begun && while true; do :; done\n`
  const running = builder.build({ Dockerfile: steps }, {}, { signal: stop.signal }).catch(String)
  const { id } = await until('it gives way', async () => {
    // One that waits for its build has another name, and keeps that.
    const all = (await builder.t.engine.containers.list()).filter(({ id }) => /^(build|spare)-/.test(id))
    return all.find(({ id }) => isIdle(id))
  })
  await until('its step runs', () => builder.said().includes('begun'))
  return {
    id,
    async end() {
      stop.abort(new Error('enough'))
      await running
      await builder.nothingIsLeft()
    },
  }
}

/** Five for each processor leave a tenth of one's share, which is a weight of 10, less than a fiftieth. */
function busyHost(): void {
  for (let each = 0; each < 5 * availableParallelism(); each++)
    loops.push(spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }))
}

function allowedOf(pid: number): number[] {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return parseProcessors(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '')
}

function endLoops(): void {
  for (const loop of loops.splice(0)) loop.kill('SIGKILL')
}

/** Before Linux 5.15 a group has its weight alone. */
function isIdle(id: string): boolean {
  const idle = fileOf(id, 'cpu.idle')
  return idle === null ? shareOf(id) === 0.1 : idle === '1'
}

/** What it gets of the processors where one other has as much as it wants, as part of that: 100 of v2 is 1,024 of v1. */
function shareOf(id: string): number {
  const weight = fileOf(id, 'cpu.weight')
  const share = weight === null ? Number(fileOf(id, 'cpu.shares')) / 1_024 : Number(weight) / 100
  return Math.round(share * 100) / 100
}

/** How many the kernel lets a build have at most. */
function processorsOf(id: string): number {
  const [quota, period] =
    fileOf(id, 'cpu.max')?.split(' ') ??
    ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((name) => fileOf(id, name))
  return Number(quota) / Number(period)
}

/** Of v2, or of the hierarchy for processors of v1. */
function fileOf(id: string, name: string): string | null {
  const group = `berth-${instanceOf(builder.t.stateDir)}-aside-${id}`
  const file = ['/sys/fs/cgroup', '/sys/fs/cgroup/cpu']
    .map((root) => `${root}/${group}/${name}`)
    .find(existsSync)
  return file === undefined ? null : readFileSync(file, 'utf8').trim()
}
