import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasProjectQuota } from '../../../engine/sys/project-quota.ts'
import { idRange, outputOf, startEngine, type TestEngine } from '../../support/engine.ts'
import { makeTar } from '../../support/images.ts'
import { mayPassCache, passesCache } from '../../support/loop-devices.ts'
import { until } from '../../support/until.ts'
import { conformsToVolumes } from './conformance.ts'

let host: TestEngine
beforeAll(async () => {
  host = await startEngine()
})
afterAll(() => host.close())

conformsToVolumes(() => host)

const sh = (script: string) => ['/bin/sh', '-c', script]
const mib = 2 ** 20

async function run(changes: Parameters<TestEngine['spec']>[0]) {
  const spec = host.spec(changes)
  await host.engine.containers.create(spec)
  return host.engine.containers.start(spec.id)
}

async function inside(script: string, changes: Parameters<TestEngine['spec']>[0]) {
  const { id } = await run({ ...changes, command: sh(script) })
  const lines = await outputOf(host.engine, id)
  await host.engine.containers.remove(id)
  return lines
}

const at = (volume: string, readOnly = false) => [
  { kind: 'volume' as const, volume, target: '/data', readOnly },
]
const ownMounts = () =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(
      (line) => line.includes(`${host.stateDir}/volumes`) || line.includes(`${host.stateDir}/snapshots`),
    )

test('an empty volume gets what the image has there, once, with its owners and as links', async () => {
  const folder = (name: string) => ({ name, type: 'directory' as const })
  const layer = await makeTar([
    folder('srv'),
    { ...folder('srv/data'), mode: 0o700, uid: 1000, gid: 1000 },
    { name: 'srv/data/own', content: 'mine', uid: 1000, gid: 1000, mode: 0o640 },
    { name: 'srv/data/link', type: 'symlink', linkname: '/etc/shadow' },
    folder('srv/data/sub'),
    { name: 'srv/data/sub/tool', content: '#!', mode: 0o4755 },
  ])
  const image = await host.pull('filled:1', { layers: [layer], user: 'app' })
  const mounts = [{ kind: 'volume' as const, volume: 'full', target: '/srv/data' }]
  for (const sizeBytes of [undefined, 32 * mib]) {
    await host.engine.volumes.create({ name: 'full', idRange, sizeBytes })
    const look = 'cd /srv/data; cat own; busybox readlink link; stat -c "%n %u %g %a" . own sub sub/tool'
    const found = [
      'mine/etc/shadow',
      '. 1000 1000 700',
      'own 1000 1000 640',
      'sub 0 0 755',
      'sub/tool 0 0 4755',
    ]
    expect(await inside(`${look}; rm own; echo new > more`, { image, mounts })).toEqual(found)
    // What is in it stays as it is.
    expect(await inside('ls /srv/data', { image, mounts })).toEqual(['link', 'more', 'sub'])
    await host.engine.volumes.remove('full')
  }
  // Filled once, it is its user's, also when it is empty again; what an image has not changes nothing.
  await host.engine.volumes.create({ name: 'full', idRange })
  const bare = { mounts: [{ kind: 'volume' as const, volume: 'full', target: '/none' }] }
  await inside('busybox chmod 777 /none', bare)
  expect(await inside('stat -c %a /none', bare)).toEqual(['777'])
  expect(
    await inside('rm -r /srv/data/*; busybox chmod 711 /srv/data', { image, mounts, user: 'root' }),
  ).toEqual([])
  expect(await inside('ls /srv/data; stat -c %a /srv/data', { image, mounts })).toEqual(['711'])
  await host.engine.volumes.remove('full')
  // One whose filling was cut off begins it anew, and a link of the image is followed nowhere.
  await host.engine.volumes.create({ name: 'full', idRange })
  const path = join(host.stateDir, 'volumes', 'full')
  writeFileSync(join(path, 'filling'), '')
  writeFileSync(join(path, 'data', 'half'), '')
  expect(await inside('ls /srv/data', { image, mounts })).toEqual(['link', 'own', 'sub'])
  expect(existsSync(join(path, 'filling'))).toBe(false)
  await host.engine.volumes.remove('full')
})

test('a volume that is too small for what the image has there is an error of start, and leaves nothing open', async () => {
  const image = await host.pull('much:1', { files: { 'srv/data/much': Buffer.alloc(24 * mib, 'x') } })
  await host.engine.volumes.create({ name: 'small', idRange, sizeBytes: 16 * mib })
  const mounts = [{ kind: 'volume' as const, volume: 'small', target: '/srv/data' }]
  const spec = host.spec({ image, mounts, command: ['/bin/true'] })
  await host.engine.containers.create(spec)
  for (let round = 0; round < 2; round++)
    await expect(host.engine.containers.start(spec.id)).rejects.toMatchObject({ kind: 'limit-exceeded' })
  expect(ownMounts()).toEqual([])
  await host.engine.containers.remove(spec.id)
  await host.engine.volumes.remove('small')
})

test('a volume with a size can’t outgrow it, says what limits it, and is mounted only while it is used', async () => {
  const { limitedBy } = await host.engine.volumes.create({ name: 'small', idRange, sizeBytes: 32 * mib })
  expect(limitedBy).toBe('own-file-system')
  const fill = 'dd if=/dev/zero of=/data/x bs=1M count=64 2>/dev/null; echo $?; stat -c %s /data/x'
  const [code, size] = await inside(fill, { mounts: at('small') })
  expect(code).toBe('1')
  expect(Number(size)).toBeGreaterThan(16 * mib)
  expect(Number(size)).toBeLessThan(32 * mib)
  expect(ownMounts()).toEqual([])
  expect((await host.engine.volumes.usage('small')).usedBytes).toBeGreaterThanOrEqual(Number(size))
  expect(ownMounts()).toEqual([])
  // Two users at once, and an engine that comes back between.
  const one = await run({ mounts: at('small') })
  const other = await run({ mounts: at('small') })
  await host.reopen()
  await host.engine.containers.remove(one.id, { force: true })
  const seen = await host.engine.containers.exec(other.id, {
    command: sh('rm /data/x; echo new > /data/y; cat /data/y'),
  })
  expect(await text(seen.output)).toBe('new\n')
  expect(await inside('cat /data/y', { mounts: at('small') })).toEqual(['new'])
  await host.engine.containers.remove(other.id, { force: true })
  expect(ownMounts()).toEqual([])
  await host.engine.volumes.remove('small')
  expect(execFileSync('losetup', ['-a'], { encoding: 'utf8' })).not.toContain(host.stateDir)
  await expect(host.engine.volumes.create({ name: 'tiny', idRange, sizeBytes: 5 })).rejects.toMatchObject({
    kind: 'invalid',
  })
})

test('a volume goes past the cache of the host while one uses it that says so, and keeps what it has', async () => {
  await host.engine.volumes.create({ name: 'direct', idRange, sizeBytes: 32 * mib })
  const disk = join(host.stateDir, 'volumes/direct/disk')
  const usual = await run({ mounts: at('direct'), command: sh('echo before > /data/x; exec sleep 1000') })
  const read = async (id: string) =>
    (await host.engine.containers.exec(id, { command: ['cat', '/data/x'] })).output
  await until('it is written', async () => (await text(await read(usual.id))) === 'before\n')
  expect(passesCache(disk)).toBe(false)
  const { id } = await run({ mounts: at('direct').map((mount) => ({ ...mount, direct: true })) })
  if (mayPassCache(host.stateDir)) await until('it goes past', () => passesCache(disk))
  expect(await text(await read(id))).toBe('before\n')
  for (const each of [usual.id, id]) await host.engine.containers.remove(each, { force: true })
  expect(await inside('cat /data/x', { mounts: at('direct') })).toEqual(['before'])
  await host.engine.volumes.remove('direct')
  expect(execFileSync('losetup', ['-a'], { encoding: 'utf8' })).not.toContain(host.stateDir)
})

test('a container’s own writable layer has a limit too, which lasts across its runs', async () => {
  const limits = { memoryBytes: 64 * mib, cpuMillis: 500, pids: 64, diskBytes: 32 * mib }
  const script =
    'test -e /mark && echo again; echo x > /mark; dd if=/dev/zero of=/x bs=1M count=64 2>/dev/null; echo $?'
  const { id } = await run({ limits, command: sh(script) })
  expect(await outputOf(host.engine, id)).toEqual(['1'])
  await host.engine.containers.start(id)
  expect(await outputOf(host.engine, id)).toEqual(['1', 'again', '1'])
  expect(await host.engine.containers.inspect(id)).toMatchObject({
    diskLimitedBy: hasProjectQuota(host.stateDir) ? 'project-quota' : 'own-file-system',
  })
  await expect(host.engine.containers.update(id, { limits: { diskBytes: 64 * mib } })).rejects.toMatchObject({
    kind: 'failed-precondition',
  })
  // Who copies in is the host's root, whom a quota does not hold.
  const much = await makeTar([{ name: 'much', content: Buffer.alloc(40 * mib, 'x') }])
  await expect(host.engine.containers.copyIn(id, '/', Readable.from([much]))).rejects.toMatchObject({
    kind: 'limit-exceeded',
  })
  expect(ownMounts()).toEqual([])
  await host.engine.containers.remove(id)
  expect(readdirSync(join(host.stateDir, 'snapshots'))).not.toContain(id)
})

test('what a killed engine left of a volume that was never made is swept', async () => {
  await host.engine.close()
  const left = join(host.stateDir, 'volumes', 'half')
  mkdirSync(left)
  writeFileSync(join(left, 'disk.img.tmp'), '')
  await host.reopen().catch(() => {})
  expect(existsSync(left)).toBe(false)
})

test('project quota is found by the options of the file system that holds a path', () => {
  const own = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[4] === '/')
  const info = own?.replace(/ - (\S+) (\S+) (\S+)$/, ' - ext4 /dev/q rw,prjquota')
  const path = own && existsSync('/bin') ? '/' : ''
  expect(hasProjectQuota(path, info)).toBe(true)
  expect(hasProjectQuota(path, own)).toBe(false)
})
