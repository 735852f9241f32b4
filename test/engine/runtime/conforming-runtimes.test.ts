import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { runtimePaths } from '../../../engine/runtime/classes.ts'
import { openRuntime } from '../../../engine/runtime/open-runtime.ts'
import type { Runtime } from '../../../engine/runtime/runtime.ts'
import { removeCgroup } from '../../../engine/sys/cgroups.ts'
import { type Spawner, startSpawner } from '../../../engine/sys/spawner.ts'
import { conformsToRuntime, runtimeRange } from './conformance.ts'

let runDir: string
let folder: string
let spawner: Spawner
let runtime: Runtime
let bundles = 0
const cgroupParent = `/berth-test-runtime-${process.pid}`

beforeAll(async () => {
  // On a tmpfs, as the engine's is.
  runDir = await mkdtemp('/run/berth-test-runtime-')
  folder = await mkdtemp(join(tmpdir(), 'berth-test-bundles-'))
  for (const each of [runDir, folder]) await chmod(each, 0o711)
  spawner = startSpawner()
  runtime = await openRuntime(runDir, [folder], spawner)
})

afterAll(async () => {
  await spawner?.close()
  await removeCgroup(cgroupParent)
  for (const each of [runDir, folder]) await rm(each, { recursive: true, force: true })
})

async function bundle(): Promise<string> {
  const made = join(folder, String(++bundles))
  const rootfs = join(made, 'rootfs')
  for (const name of ['bin', 'proc', 'sys', 'dev', 'tmp', 'etc', 'given'])
    await mkdir(join(rootfs, name), { recursive: true, mode: 0o755 })
  execFileSync('cp', ['/bin/busybox', join(rootfs, 'bin/busybox')])
  execFileSync('chroot', [rootfs, '/bin/busybox', '--install', '-s', '/bin'])
  for (const name of ['hosts', 'hostname', 'resolv.conf']) execFileSync('touch', [join(rootfs, 'etc', name)])
  execFileSync('chown', ['-hR', `${runtimeRange.base}:${runtimeRange.base}`, rootfs])
  return made
}

describe('the usual one', () => {
  conformsToRuntime(() => ({ runtime, runtimeClass: 'default', bundle, cgroupParent }))
})

if (runtimePaths.runc.some((path) => existsSync(path)))
  describe('runc, where it is asked for', () => {
    conformsToRuntime(() => ({ runtime, runtimeClass: 'runc', bundle, cgroupParent }))
  })
else
  test('runc', (c) => {
    console.info('not tested: the runtime class runc: there is no runc on this host (apt-get install runc)')
    c.skip()
  })
