/**
 * The container checks of docker-bench-security (section 5, after the CIS Docker Benchmark 1.6), asked of our inspect.
 * Source: https://github.com/docker/docker-bench-security, tests/5_container_runtime.sh.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContainerDetails } from '../../../engine/index.ts'
import { idRange, startEngine, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'

let host: TestEngine
let usual: ContainerDetails
let careful: ContainerDetails

beforeAll(async () => {
  host = await startEngine()
  const image = await host.pull('bench:1', { user: 'app', command: ['/bin/sleep', '1000'] })
  const limits = { memoryBytes: 64 * 2 ** 20, cpuMillis: 500, pids: 64 }
  await host.engine.volumes.create({ name: 'data', idRange })
  const start = async (changes: Parameters<TestEngine['spec']>[0]) => {
    const { id } = await host.engine.containers.create(host.spec({ image, limits, ...changes }))
    await host.engine.containers.start(id)
    return host.engine.containers.inspect(id)
  }
  usual = await start({})
  careful = await start({
    limits: { ...limits, cpuWeight: 100 },
    readOnlyRoot: true,
    capabilities: ['CAP_NET_BIND_SERVICE'],
    restart: 'on-failure',
    maxRestarts: 5,
    ulimits: { openFiles: 1_024 },
    healthCheck: { test: { kind: 'command', command: ['true'] } },
    mounts: [{ kind: 'volume', volume: 'data', target: '/data' }],
    ports: [{ hostAddress: '127.0.0.1', hostPort: 34_567, containerPort: 8_080, protocol: 'tcp' }],
  })
})
afterAll(async () => {
  for (const { id } of [usual, careful]) await host.engine.containers.remove(id, { force: true })
  await host.engine.volumes.remove('data')
  await host.close()
})

type Check = (inspected: ContainerDetails) => boolean | Promise<boolean>
const has = (name: string) => (inspected: ContainerDetails) => inspected.isolation.namespaces.includes(name)
const ports = ({ spec }: ContainerDetails) => spec.ports ?? []
const mounts = ({ spec }: ContainerDetails) => spec.mounts ?? []
/** What Docker gives and the benchmark takes for too much. */
const tooMuch = [
  'CAP_SYS_ADMIN',
  'CAP_SYS_PTRACE',
  'CAP_SYS_MODULE',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_MKNOD',
]
const commands = async ({ id }: ContainerDetails) =>
  (await host.engine.containers.top(id)).map(({ command }) => command[0] ?? '')

/** 5.1 and 5.2 ask for AppArmor and SELinux: see the test below. */
const checks: Record<string, Check> = {
  '5.3 Linux kernel capabilities are restricted': ({ isolation }) =>
    !isolation.capabilities.some((name) => tooMuch.includes(name)),
  '5.4 privileged containers are not used': ({ isolation }) =>
    isolation.noNewPrivileges && isolation.seccomp === 'strict' && isolation.maskedPaths.length > 0,
  '5.5 sensitive host system directories are not mounted': (all) =>
    mounts(all).every(({ kind }) => kind === 'volume' || kind === 'tmpfs'),
  '5.6 sshd is not run within containers': async (all) =>
    !(await commands(all)).some((name) => /sshd/.test(name)),
  '5.7 privileged ports are not mapped within containers': (all) =>
    ports(all).every(({ hostPort }) => hostPort >= 1_024),
  '5.8 only needed ports are open on the container': async (all) => {
    const published = ports(all).map(({ containerPort }) => containerPort)
    const listening = await host.engine.containers.listeningPorts(all.id)
    return listening.every((port) => published.includes(port))
  },
  '5.9 the host’s network namespace is not shared': has('network'),
  '5.10 memory usage is limited': ({ spec }) => spec.limits.memoryBytes > 0,
  '5.11 CPU priority is set appropriately': ({ spec }) =>
    spec.limits.cpuMillis > 0 && spec.limits.cpuWeight !== undefined,
  '5.12 the container’s root filesystem is mounted read-only': ({ isolation }) => isolation.readOnlyRoot,
  '5.13 incoming traffic is bound to a specific host interface': (all) =>
    ports(all).every(({ hostAddress }) => hostAddress !== '0.0.0.0'),
  '5.14 the on-failure restart policy is set to 5': ({ spec }) =>
    spec.restart === undefined ||
    spec.restart === 'no' ||
    (spec.maxRestarts ?? Number.POSITIVE_INFINITY) <= 5,
  '5.15 the host’s process namespace is not shared': has('pid'),
  '5.16 the host’s IPC namespace is not shared': has('ipc'),
  '5.17 host devices are not directly exposed': (all) => !JSON.stringify(all.spec).includes('/dev/'),
  '5.18 the default ulimit is overwritten where needed': ({ spec }) => spec.ulimits?.openFiles !== undefined,
  '5.19 mount propagation mode is not shared': ({ pid }) =>
    !/ shared:\d+/.test(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')),
  '5.20 the host’s UTS namespace is not shared': has('uts'),
  '5.21 the default seccomp profile is not disabled': ({ isolation }) => isolation.seccomp === 'strict',
  '5.22 exec is not used with the privileged option': async ({ id, isolation }) =>
    (await statusOfExec(id, {})).includes(`CapBnd:\t${mask(isolation.capabilities)}`),
  '5.23 exec is not used with more rights as root': async ({ id, isolation }) =>
    (await statusOfExec(id, { user: 'root' })).includes(`CapEff:\t${mask(isolation.capabilities)}`),
  '5.24 cgroup usage is confirmed': ({ cgroup, id }) =>
    /^\/berth-[0-9a-f]{6}\//.test(cgroup) && cgroup.endsWith(id),
  '5.25 the container is restricted from acquiring additional privileges': ({ isolation }) =>
    isolation.noNewPrivileges,
  '5.26 container health is checked at runtime': ({ spec }) => spec.healthCheck !== undefined,
  '5.27 commands always make use of the latest version: the image is a digest': ({ image }) =>
    /^sha256:[0-9a-f]{64}$/.test(image),
  '5.28 the PIDs cgroup limit is used': ({ spec }) => spec.limits.pids > 0,
  '5.29 the default bridge is not used': ({ spec }) => spec.network !== 'bridge' && spec.network !== '',
  '5.30 the host’s user namespaces are not shared': (all) => has('user')(all) && all.spec.idRange.base > 0,
  '5.31 the engine’s socket is not mounted inside': (all) =>
    !/\.sock\b/.test(readFileSync(`/proc/${all.pid}/mountinfo`, 'utf8')),
}

async function statusOfExec(id: string, spec: { user?: string }): Promise<string> {
  const run = await host.engine.containers.exec(id, { command: ['cat', '/proc/self/status'], ...spec })
  let said = ''
  for await (const chunk of run.output) said += chunk
  return said
}

const numbers: Record<string, number> = {
  ...{ CHOWN: 0, DAC_OVERRIDE: 1, FOWNER: 3, FSETID: 4, KILL: 5, SETGID: 6, SETUID: 7, SETPCAP: 8 },
  ...{ NET_BIND_SERVICE: 10, SYS_CHROOT: 18, SETFCAP: 31 },
}
const mask = (names: string[]) =>
  names
    .reduce((sum, name) => sum | (1n << BigInt(numbers[name.slice('CAP_'.length)] ?? 63)), 0n)
    .toString(16)
    .padStart(16, '0')

type Change = (inspected: ContainerDetails) => unknown
const apart =
  (changes: object): Change =>
  (all) => ({ ...all, isolation: { ...all.isolation, ...changes } })
const asked =
  (changes: object): Change =>
  (all) => ({ ...all, spec: { ...all.spec, ...changes } })
const without =
  (name: string): Change =>
  (all) =>
    apart({ namespaces: all.isolation.namespaces.filter((one) => one !== name) })(all)
const port = { hostAddress: '127.0.0.1', hostPort: 34_567, containerPort: 80, protocol: 'tcp' }
const limited =
  (changes: object): Change =>
  (all) =>
    asked({ limits: { ...all.spec.limits, ...changes } })(all)

/** The same container, were it not kept apart in this one thing. Three need a process: see below. */
const worse: Record<string, Change> = {
  '5.3': apart({ capabilities: ['CAP_SYS_ADMIN'] }),
  '5.4': apart({ noNewPrivileges: false }),
  '5.5': asked({ mounts: [{ kind: 'bind', source: '/etc', target: '/etc' }] }),
  '5.7': asked({ ports: [{ ...port, hostPort: 80 }] }),
  '5.9': without('network'),
  '5.10': limited({ memoryBytes: 0 }),
  '5.11': limited({ cpuWeight: undefined }),
  '5.12': apart({ readOnlyRoot: false }),
  '5.13': asked({ ports: [{ ...port, hostAddress: '0.0.0.0' }] }),
  '5.14': asked({ restart: 'always', maxRestarts: undefined }),
  '5.15': without('pid'),
  '5.16': without('ipc'),
  '5.17': asked({ devices: ['/dev/sda'] }),
  '5.18': asked({ ulimits: {} }),
  '5.20': without('uts'),
  '5.21': apart({ seccomp: 'none' }),
  '5.22': apart({ capabilities: [] }),
  '5.23': apart({ capabilities: [] }),
  '5.24': (all) => ({ ...all, cgroup: '/' }),
  '5.25': apart({ noNewPrivileges: false }),
  '5.26': asked({ healthCheck: undefined }),
  '5.27': (all) => ({ ...all, image: 'app:latest' }),
  '5.28': limited({ pids: 0 }),
  '5.29': asked({ network: 'bridge' }),
  '5.30': without('user'),
}

describe('each check refuses what it is there for', () => {
  for (const [number, change] of Object.entries(worse))
    test(number, async () => {
      const check = Object.entries(checks).find(([name]) => name.startsWith(`${number} `))?.[1]
      expect(await check?.(change(careful) as ContainerDetails)).toBe(false)
    })

  test('5.8, by a container that listens where nothing is published', async () => {
    const image = await host.pull('open:1', {
      command: ['/bin/sh', '-c', 'httpd -p 80 -h /tmp; sleep 1000'],
    })
    const { id } = await host.engine.containers.create(host.spec({ image }))
    await host.engine.containers.start(id)
    const open = await host.engine.containers.inspect(id)
    await until(
      'it listens',
      async () => (await host.engine.containers.listeningPorts(id)).includes(80),
      10_000,
    )
    expect(await checks['5.8 only needed ports are open on the container']?.(open)).toBe(false)
    await host.engine.containers.remove(id, { force: true })
  })

  test('5.19 and 5.31, by the mounts of a process that shares its own and has a socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'))
    const socket = join(folder, 'engine.sock')
    writeFileSync(socket, '')
    const script = 'mount --bind "$0" "$0" && echo ready && exec sleep 1000'
    const open = spawn('unshare', ['--mount', '--propagation', 'shared', 'sh', '-c', script, socket])
    try {
      await once(open.stdout, 'data')
      const shared = { ...careful, pid: open.pid ?? null }
      expect(await checks['5.19 mount propagation mode is not shared']?.(shared)).toBe(false)
      expect(await checks['5.31 the engine’s socket is not mounted inside']?.(shared)).toBe(false)
    } finally {
      open.kill('SIGKILL')
      await once(open, 'close')
      rmSync(folder, { recursive: true })
    }
  })

  test('none was forgotten but 5.6, for which an sshd would have to be here', () => {
    const numbers = Object.keys(checks).map((name) => name.split(' ')[0])
    expect([...Object.keys(worse), '5.6', '5.8', '5.19', '5.31'].sort()).toEqual(numbers.sort())
  })
})

describe('a container that uses what there is passes', () => {
  for (const [name, check] of Object.entries(checks))
    test(name, async () => expect(await check(careful)).toBe(true))
})

test('one with nothing but an image and limits lacks what only its owner can know', async () => {
  const failed: string[] = []
  for (const [name, check] of Object.entries(checks))
    if (!(await check(usual))) failed.push(name.split(' ')[0] ?? '')
  expect(failed).toEqual(['5.11', '5.12', '5.18', '5.26'])
})

test('5.1 and 5.2: neither AppArmor nor SELinux has a profile for it, and inspect promises none', () => {
  expect(Object.keys(usual.isolation).join()).not.toMatch(/apparmor|selinux/i)
})

test('the kernel says the same of both as inspect does', async () => {
  const kinds = {
    user: 'user',
    pid: 'pid',
    mount: 'mnt',
    ipc: 'ipc',
    uts: 'uts',
    network: 'net',
    cgroup: 'cgroup',
  }
  for (const { pid, isolation } of [usual, careful]) {
    const status = await until('the image’s own program', () => {
      const text = readFileSync(`/proc/${pid}/status`, 'utf8')
      return text.startsWith('Name:\tsleep\n') && text
    })
    expect(status).toContain(`CapBnd:\t${mask(isolation.capabilities)}\n`)
    expect(status).toMatch(/^NoNewPrivs:\s1$/m)
    expect(status).toMatch(/^Seccomp:\s2$/m)
    expect(status).toMatch(new RegExp(`^Uid:\\s+${idRange.base + 1_000}\\s`, 'm'))
    expect(isolation.namespaces.toSorted()).toEqual(Object.keys(kinds).toSorted())
    for (const kind of Object.values(kinds))
      expect(readlinkSync(`/proc/${pid}/ns/${kind}`), kind).not.toBe(readlinkSync(`/proc/self/ns/${kind}`))
    const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
    const optionsOf = (path: string) => mounts.findLast((fields) => fields[4] === path)?.[5]?.split(',')
    expect(optionsOf('/')?.includes('ro')).toBe(isolation.readOnlyRoot)
    const isThere = (path: string) => existsSync(`/proc/${pid}/root${path}`)
    expect(isolation.maskedPaths.filter(isThere)).toContain('/proc/interrupts')
    for (const path of isolation.maskedPaths.filter(isThere)) expect(optionsOf(path), path).toBeDefined()
    for (const path of isolation.readOnlyPaths.filter(isThere)) expect(optionsOf(path), path).toContain('ro')
  }
})
