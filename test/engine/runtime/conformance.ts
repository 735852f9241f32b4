/**
 * What every runtime promises (engine/runtime/runtime.ts), with real processes. A new one is a test file that passes how
 * it is opened.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { RunSpec, Runtime } from '../../../engine/runtime/runtime.ts'
import { usualCapabilities } from '../../../engine/runtime/spec.ts'
import { commandLine } from '../../../engine/sys/processes.ts'
import { until } from '../../support/until.ts'

export interface RuntimeStand {
  runtime: Runtime
  runtimeClass: RunSpec['runtimeClass']
  /** A fresh folder whose `rootfs` has busybox and belongs to the range. */
  bundle(): Promise<string>
  /** Control groups of this stand are below it. */
  cgroupParent: string
}

export const runtimeRange = { base: 1_000_000, size: 65_536 }
let made = 0

/** @param given called within tests; what it answers with is its caller's to close. */
export function conformsToRuntime(given: () => RuntimeStand): void {
  const runtime = () => given().runtime
  const containers: { id: string; folder: string }[] = []

  afterEach(async () => {
    for (const { id, folder } of containers.splice(0)) await runtime().delete(id, folder)
    expect(await runtime().list()).toEqual([])
  })

  /** A container that waits to be started. */
  async function create(script: string, changes: Partial<RunSpec> = {}) {
    const folder = await given().bundle()
    const id = `r${process.pid}-${++made}`
    containers.push({ id, folder })
    const files = Object.fromEntries(
      ['hosts', 'hostname', 'resolvConf'].map((name) => [name, join(folder, name)]),
    )
    for (const path of Object.values(files)) writeFileSync(path, 'of the bundle\n')
    const spec: RunSpec = {
      rootfs: join(folder, 'rootfs'),
      args: ['/bin/sh', '-c', script],
      environment: { PATH: '/bin' },
      workingDir: '/',
      user: { uid: 0, gid: 0, additionalGids: [] },
      hostname: 'told',
      limits: { memoryBytes: 64 * 2 ** 20, cpuMillis: 500, pids: 32 },
      idRange: runtimeRange,
      cgroup: `${given().cgroupParent}/${id}`,
      joinedPid: null,
      files: files as RunSpec['files'],
      rlimits: [],
      capabilities: usualCapabilities,
      readOnlyRoot: false,
      mounts: [],
      init: null,
      hasIpv6: existsSync('/proc/sys/net/ipv6'),
      runtimeClass: given().runtimeClass,
      refusedSyscalls: [],
      nesting: false,
      ignoresSync: false,
      ...changes,
    }
    const logFile = join(folder, 'log')
    const pid = await runtime().create(id, folder, { file: logFile, maxBytes: 2 ** 20 }, spec)
    const exitFile = join(runtime().exitDir, id)
    return {
      ...{ id, folder, pid },
      log: () => readFileSync(logFile, 'utf8'),
      exitCode: () =>
        until('its exit code is there', () => existsSync(exitFile) && readFileSync(exitFile, 'utf8')),
    }
  }

  async function exec({ id, folder }: { id: string; folder: string }, args: string[]) {
    const at = join(folder, `exec-${++made}`)
    mkdirSync(at)
    const process = {
      ...{ terminal: false, cwd: '/', args, env: ['PATH=/bin'], user: { uid: 0, gid: 0 } },
      noNewPrivileges: true,
    }
    writeFileSync(join(at, 'process'), JSON.stringify(process))
    writeFileSync(join(at, 'output'), '')
    writeFileSync(join(at, 'errors'), '')
    const code = await runtime().exec(id, {
      ...{ processFile: join(at, 'process'), pidFile: join(at, 'pid'), logFile: join(at, 'log') },
      pipes: { input: null, output: join(at, 'output'), errors: join(at, 'errors') },
      consoleSocket: null,
    })
    return { code, said: readFileSync(join(at, 'output'), 'utf8') }
  }

  test('a container waits until it is started; its output and its exit code are kept', async () => {
    const { id, pid, log, exitCode, folder } = await create('echo begun; hostname; cat /etc/hosts; exit 7')
    expect(await runtime().list()).toEqual([id])
    expect(existsSync(`/proc/${pid}`)).toBe(true)
    expect(log()).toBe('')
    await runtime().start(id)
    expect(await exitCode()).toBe('7')
    for (const line of ['begun', 'told', 'of the bundle'])
      expect(log()).toMatch(new RegExp(` stdout F ${line}$`, 'm'))
    await runtime().untilMonitorEnds(id, folder)
    await runtime().untilMonitorEnds(id, folder)
    await runtime().delete(id, folder)
    expect(await runtime().list()).toEqual([])
    await runtime().delete(id, folder)
  })

  test('the end by a signal is told as 128 and the signal', async () => {
    const { id, pid, exitCode } = await create('exec sleep 1000')
    await runtime().start(id)
    process.kill(pid, 'SIGKILL')
    expect(await exitCode()).toBe('137')
  })

  test('what runs is killed when it is deleted, with all that it started, and its monitor is gone', async () => {
    const { id, pid, folder, log } = await create('sleep 4711 & echo begun; exec sleep 4712')
    await runtime().start(id)
    await until('it has begun', () => log().includes('begun'))
    const monitor = Number(readFileSync(join(folder, 'conmon.pid'), 'utf8'))
    expect(commandLine(monitor)).toContain(id)
    await runtime().delete(id, folder)
    expect(commandLine(pid)).toEqual([])
    expect(commandLine(monitor)).not.toContain(id)
  })

  test('what cannot be run is said to be invalid, by name, and nothing of it runs', async () => {
    await expect(create('', { args: ['/bin/none'] })).rejects.toMatchObject({
      message: expect.stringContaining('none'),
    })
    const running = await create('exec sleep 1000')
    await runtime().start(running.id)
    await expect(exec(running, ['/bin/none'])).rejects.toMatchObject({
      ...{ kind: 'invalid', message: expect.stringContaining(running.id) },
    })
    await expect(exec({ ...running, id: 'never-made' }, ['/bin/true'])).rejects.toMatchObject({
      name: 'EngineError',
    })
  })

  test('more is run in a container, and ends with its own code', async () => {
    const running = await create('exec sleep 1000')
    await runtime().start(running.id)
    expect(await exec(running, ['/bin/sh', '-c', 'hostname; exit 3'])).toEqual({ code: 3, said: 'told\n' })
    expect(await exec(running, ['/bin/sh', '-c', 'kill -9 $$'])).toMatchObject({ code: 137 })
    expect((await exec(running, ['/bin/sh', '-c', 'ps -o args'])).said).toContain('sleep 1000')
  })

  test('it has ids, processes and rights of its own', async () => {
    const mounts = [{ destination: '/given', type: 'tmpfs', source: 'tmpfs', options: ['ro', 'nosuid'] }]
    const script =
      'cat /proc/self/uid_map /proc/self/status; ls /proc | grep -c "^[0-9]"; mount -t tmpfs x /tmp; touch /given/x; mkdir /tmp/x; ls /sys/class/net'
    const { id, log, exitCode } = await create(script, { mounts, refusedSyscalls: ['mkdir', 'mkdirat'] })
    await runtime().start(id)
    await exitCode()
    expect(log()).toMatch(/ 0 +1000000 +65536$/m)
    expect(log()).toMatch(/NoNewPrivs:\t1$/m)
    expect(log()).toMatch(/Seccomp:\t2$/m)
    expect(log()).toMatch(/stdout F [1-9]$/m)
    expect(log()).toMatch(/mount: .*(denied|not permitted)/)
    expect(log()).toMatch(/touch: .*Read-only/)
    expect(log()).toMatch(/mkdir: .*not permitted/)
    expect(log()).toMatch(/stdout F lo$/m)
  })
}
