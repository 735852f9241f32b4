import { fork, spawn } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { idRange, outputOf, startEngine, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'

let host: TestEngine
beforeAll(async () => {
  host = await startEngine()
})
afterAll(() => host.close())

const mib = 2 ** 20
const sh = (script: string) => ['/bin/sh', '-c', script]
const mounts = (volume: string) => [{ kind: 'volume' as const, volume, target: '/data' }]
const snapshots = () => host.engine.volumes.snapshots

async function inside(volume: string, script: string): Promise<string[]> {
  const spec = host.spec({ mounts: mounts(volume), command: sh(script) })
  await host.engine.containers.create(spec)
  await host.engine.containers.start(spec.id)
  const lines = await outputOf(host.engine, spec.id)
  await host.engine.containers.remove(spec.id)
  return lines
}

async function ask(id: string, script: string): Promise<string> {
  const { output } = await host.engine.containers.exec(id, { command: sh(script) })
  return text(output)
}

/** Writes numbers in order to a file, and the last one to another: at no moment that one is ahead. */
const counting =
  'i=0; while :; do i=$((i+1)); echo $i >> /data/all; echo $i > /data/next; busybox mv /data/next /data/last; done'
const ownMounts = () =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(host.stateDir) && line.includes('ext4'))

test('a snapshot is the volume as it is at one moment, while it is written to; a restore brings it back and keeps what was', async () => {
  const { volumes, containers } = host.engine
  await volumes.create({ name: 'count', idRange, sizeBytes: 64 * mib })
  const spec = host.spec({ mounts: mounts('count'), command: sh(counting) })
  await containers.create(spec)
  await containers.start(spec.id)
  await until('it counts', async () => Number(await ask(spec.id, 'cat /data/last')) > 100)
  const made = await snapshots().create('snap_1', { volume: 'count' })
  expect(made).toMatchObject({ id: 'snap_1', volume: 'count', sizeBytes: 64 * mib })
  expect(made.allocatedBytes).toBeLessThan(32 * mib)
  expect(await snapshots().create('snap_1', { volume: 'count' })).toEqual(made)
  // It goes on counting.
  const then = Number(await ask(spec.id, 'cat /data/last'))
  await until('it counts on', async () => Number(await ask(spec.id, 'cat /data/last')) > then)

  await snapshots().prepareRestore('snap_1', { volume: 'count', keepAs: 'safe_1' })
  await expect(snapshots().restore('snap_1', { volume: 'count', keepAs: 'safe_1' })).rejects.toMatchObject({
    kind: 'failed-precondition',
  })
  await containers.stop(spec.id, { graceMs: 0 })
  const end = Number((await inside('count', 'cat /data/last'))[0])
  await snapshots().restore('snap_1', { volume: 'count', keepAs: 'safe_1' })
  await snapshots().restore('snap_1', { volume: 'count', keepAs: 'safe_1' })
  const [last, lines] = await inside('count', 'cat /data/last; busybox wc -l < /data/all')
  expect(Number(last)).toBeGreaterThan(100)
  expect(Number(last)).toBeLessThan(end)
  // Between the two files at most one step.
  expect([Number(last), Number(last) + 1]).toContain(Number(lines))
  await containers.remove(spec.id, { force: true })

  await snapshots().prepareRestore('safe_1', { volume: 'count', keepAs: 'safe_2' })
  await snapshots().restore('safe_1', { volume: 'count', keepAs: 'safe_2' })
  expect(await inside('count', 'cat /data/last')).toEqual([String(end)])
  expect((await snapshots().list({ volume: 'count' })).map(({ id }) => id)).toEqual([
    'snap_1',
    'safe_1',
    'safe_2',
  ])
  await snapshots().remove('safe_2')
  await snapshots().remove('safe_2')
  await volumes.remove('count')
  expect(await snapshots().list()).toEqual([])
  expect(readdirSync(join(host.stateDir, 'volume-snapshots'))).toEqual([])
  expect(ownMounts()).toEqual([])
})

test('what was written last is kept, also where another mount namespace holds the volume for longer', async () => {
  const { volumes, containers } = host.engine
  await volumes.create({ name: 'held', idRange, sizeBytes: 32 * mib })
  const spec = host.spec({ mounts: mounts('held'), command: sh('echo first > /data/x; sleep 1000') })
  await containers.create(spec)
  await containers.start(spec.id)
  await until('it has written', async () => (await ask(spec.id, 'cat /data/x')) === 'first\n')
  await snapshots().create('snap_3', { volume: 'held' })
  const holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sleep', '120'])
  try {
    await until('it holds the volume', () =>
      readFileSync(`/proc/${holder.pid}/comm`, 'utf8').startsWith('sleep'),
    )
    await ask(spec.id, 'echo second >> /data/x')
    const { leastBytes } = await volumes.leastSize('held')
    await ask(spec.id, 'head -c 9000000 /dev/urandom > /data/more')
    await containers.stop(spec.id, { graceMs: 0 })
    expect((await volumes.leastSize('held')).leastBytes).toBeGreaterThan(leastBytes + 8_000_000)
    await snapshots().prepareRestore('snap_3', { volume: 'held', keepAs: 'safe_3' })
    await snapshots().restore('snap_3', { volume: 'held', keepAs: 'safe_3' })
    expect(await inside('held', 'cat /data/x')).toEqual(['first'])
    await snapshots().prepareRestore('safe_3', { volume: 'held', keepAs: 'safe_4' })
    await snapshots().restore('safe_3', { volume: 'held', keepAs: 'safe_4' })
    expect(await inside('held', 'cat /data/x')).toEqual(['first', 'second'])
  } finally {
    holder.kill('SIGKILL')
  }
  await containers.remove(spec.id, { force: true })
  await volumes.remove('held')
})

test('another size keeps what is in it; one that has no room for it is refused, and nothing is lost', async () => {
  const { volumes } = host.engine
  await volumes.create({ name: 'sized', idRange, sizeBytes: 64 * mib })
  await inside(
    'sized',
    'dd if=/dev/urandom of=/data/x bs=1M count=20 2>/dev/null; md5sum /data/x > /data/sum',
  )
  const { leastBytes } = await volumes.leastSize('sized')
  expect(leastBytes).toBeGreaterThan(20 * mib)
  expect(leastBytes).toBeLessThan(64 * mib)
  await expect(volumes.resize('sized', leastBytes - 64 * 1024)).rejects.toMatchObject({
    kind: 'failed-precondition',
    message: expect.stringContaining('more room'),
  })
  expect(await volumes.inspect('sized')).toMatchObject({ sizeBytes: 64 * mib })
  expect(await inside('sized', 'md5sum -c /data/sum')).toEqual(['/data/x: OK'])
  expect(await volumes.resize('sized', leastBytes)).toMatchObject({ sizeBytes: leastBytes })
  expect(await inside('sized', 'md5sum -c /data/sum')).toEqual(['/data/x: OK'])
  expect(await volumes.resize('sized', 128 * mib)).toMatchObject({ sizeBytes: 128 * mib })
  expect(
    await inside(
      'sized',
      'dd if=/dev/zero of=/data/y bs=1M count=80 2>/dev/null; echo $?; md5sum -c /data/sum',
    ),
  ).toEqual(['0', '/data/x: OK'])
  await snapshots().create('snap_2', { volume: 'sized' })
  await inside('sized', 'rm /data/y')
  await volumes.resize('sized', 64 * mib)
  expect(
    await inside(
      'sized',
      'md5sum -c /data/sum; dd if=/dev/zero of=/data/y bs=1M count=80 2>/dev/null; echo $?',
    ),
  ).toEqual(['/data/x: OK', '1'])
  // What was in it then has no room in it now.
  await expect(
    snapshots().prepareRestore('snap_2', { volume: 'sized', keepAs: 'safe_2' }),
  ).rejects.toMatchObject({
    kind: 'failed-precondition',
  })
  await inside('sized', 'rm /data/y')
  const spec = host.spec({ mounts: mounts('sized') })
  await host.engine.containers.create(spec)
  await host.engine.containers.start(spec.id)
  // What a container has written and not on disk yet counts, too.
  const before = await volumes.leastSize('sized')
  const command = ['dd', 'if=/dev/urandom', 'of=/data/z', 'bs=1M', 'count=10']
  await (await host.engine.containers.exec(spec.id, { command })).exited
  expect((await volumes.leastSize('sized')).leastBytes).toBeGreaterThan(before.leastBytes)
  await expect(volumes.resize('sized', 96 * mib)).rejects.toMatchObject({ kind: 'failed-precondition' })
  await host.engine.containers.remove(spec.id, { force: true })
  await volumes.remove('sized')
})

test('what is no file system of its own, or not there, has no snapshots', async () => {
  await host.engine.volumes.create({ name: 'plain', idRange })
  await expect(snapshots().create('snap_3', { volume: 'plain' })).rejects.toMatchObject({
    kind: 'failed-precondition',
  })
  await expect(host.engine.volumes.leastSize('plain')).rejects.toMatchObject({ kind: 'failed-precondition' })
  await expect(snapshots().create('snap_3', { volume: 'nobodys' })).rejects.toMatchObject({
    kind: 'not-found',
  })
  await expect(snapshots().create('../x', { volume: 'plain' })).rejects.toMatchObject({ kind: 'invalid' })
  await expect(
    snapshots().prepareRestore('snap_3', { volume: 'plain', keepAs: 'safe_3' }),
  ).rejects.toMatchObject({
    kind: 'not-found',
  })
  await host.engine.volumes.remove('plain')
})

test('an engine that was killed while it copied leaves no snapshot, and what runs there writes on', async () => {
  const { volumes, containers } = host.engine
  await volumes.create({ name: 'killed', idRange, sizeBytes: 1_024 * mib })
  await inside('killed', 'dd if=/dev/urandom of=/data/x bs=1M count=600 2>/dev/null')
  const spec = host.spec({ mounts: mounts('killed'), command: sh(counting), restart: 'always' })
  await containers.create(spec)
  await containers.start(spec.id)
  await until('it counts', async () => Number(await ask(spec.id, 'cat /data/last')) > 10)
  await host.engine.close()

  const options = { stateDir: host.stateDir, networkPool: '10.90.0.0/16' }
  const child = fork(new URL('../../support/volume-child.ts', import.meta.url), [
    JSON.stringify({ options, volume: 'killed', id: 'snap_4' }),
  ])
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const unfinished = join(host.stateDir, 'volume-snapshots/snap_4/disk.img.tmp')
  await until('it copies', () => existsSync(unfinished))
  child.kill('SIGKILL')
  await ended
  expect(existsSync(unfinished)).toBe(true)
  await host.reopen()
  expect(await snapshots().list()).toEqual([])
  expect(existsSync(unfinished)).toBe(false)
  const then = Number(await ask(spec.id, 'cat /data/last'))
  await until('it counts on', async () => Number(await ask(spec.id, 'cat /data/last')) > then)
  expect(await host.engine.containers.inspect(spec.id)).toMatchObject({ restarts: 0 })
  await host.engine.containers.remove(spec.id, { force: true })
  await host.engine.volumes.remove('killed')
})

test('a restore that was cut off between its steps is carried on', async () => {
  await host.engine.volumes.create({ name: 'cut', idRange, sizeBytes: 32 * mib })
  await inside('cut', 'echo old > /data/x')
  await snapshots().create('snap_5', { volume: 'cut' })
  await inside('cut', 'echo new > /data/x')
  await snapshots().prepareRestore('snap_5', { volume: 'cut', keepAs: 'safe_5' })
  // As a kill leaves it that comes between the second name and the rename.
  const [own, kept] = [join(host.stateDir, 'volumes/cut'), join(host.stateDir, 'volume-snapshots/safe_5')]
  mkdirSync(kept)
  linkSync(join(own, 'disk.img'), join(kept, 'disk.img'))
  await snapshots().restore('snap_5', { volume: 'cut', keepAs: 'safe_5' })
  expect(await inside('cut', 'cat /data/x')).toEqual(['old'])
  // As a kill leaves it that comes after the restore, before anybody was told: it is not done twice.
  await snapshots().prepareRestore('snap_5', { volume: 'cut', keepAs: 'safe_5' })
  await snapshots().restore('snap_5', { volume: 'cut', keepAs: 'safe_5' })
  expect(readdirSync(own)).toEqual(['disk', 'disk.img'])
  await host.reopen()
  await snapshots().prepareRestore('safe_5', { volume: 'cut', keepAs: 'safe_6' })
  // A copy that is not whole is not there.
  renameSync(join(own, 'next-safe_5.img'), join(own, 'next-safe_5.img.tmp'))
  await host.reopen()
  expect(readdirSync(own)).toEqual(['disk', 'disk.img'])
  await expect(snapshots().restore('safe_5', { volume: 'cut', keepAs: 'safe_6' })).rejects.toMatchObject({
    kind: 'failed-precondition',
  })
  await snapshots().prepareRestore('safe_5', { volume: 'cut', keepAs: 'safe_6' })
  await snapshots().restore('safe_5', { volume: 'cut', keepAs: 'safe_6' })
  expect(await inside('cut', 'cat /data/x')).toEqual(['new'])
  await host.engine.volumes.remove('cut')
})
