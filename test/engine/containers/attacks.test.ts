/** What a hostile program gets from inside a container: nothing. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { idRange, outputOf, readLines, startEngine, type TestEngine } from '../../support/engine.ts'
import { perlImage } from '../../support/perl-image.ts'
import { until } from '../../support/until.ts'

let host: TestEngine
let image: string

beforeAll(async () => {
  host = await startEngine()
  image = await host.pull(
    'attack:1',
    perlImage({ 'attack.pl': readFileSync(join(import.meta.dirname, 'attack.pl'), 'utf8') }),
  )
})
afterAll(() => host?.close())

/** Readable, and not to be written to. */
const readOnly = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

const perm = 'error 1'
const noSuchCall = 'error 38'
const masked = [
  ...'acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats'
    .split(' ')
    .map((name) => `/proc/${name}`),
  ...['/sys/devices/virtual/powercap', '/sys/firmware', '/sys/fs/selinux'],
]
/** No such file here, not allowed, read-only. */
const refused = expect.stringMatching(/^error (2|13|30)$/)

test('a program inside a container gets neither out nor at what is not its own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-canary-'))
  const canary = join(folder, 'secret')
  writeFileSync(canary, randomBytes(8).toString('hex'), { mode: 0o644 })
  const service = createServer((socket) => socket.end('secret')).listen(0, '0.0.0.0')
  await once(service, 'listening')
  const { port } = service.address() as { port: number }
  const neighbour = await host.engine.containers.create(
    host.spec({
      network: 'other',
      command: ['/bin/busybox', 'nc', '-lk', '-p', '80', '-e', '/bin/echo', 'hi'],
    }),
  )
  await host.engine.containers.start(neighbour.id)
  const network = await host.engine.networks.ensure('net')
  const hostAddresses = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).filter(({ family }) => family === 'IPv4').map(({ address }) => address),
  )
  const targets = [...new Set([...hostAddresses, network.gateway])].map((address) => `${address}:${port}`)
  const others = [`${neighbour.address}:80`, '169.254.169.254:80']
  try {
    const spec = host.spec({
      image,
      command: [
        '/usr/bin/perl',
        '/attack.pl',
        process.arch,
        canary,
        String(process.pid),
        ...targets,
        ...others,
      ],
      limits: { memoryBytes: 128 * 2 ** 20, cpuMillis: 1_000, pids: 64 },
    })
    await host.engine.containers.create(spec)
    await host.engine.containers.start(spec.id)
    // Also what this kernel has nothing of.
    expect((await host.engine.containers.inspect(spec.id)).isolation).toMatchObject({
      maskedPaths: masked,
      readOnlyPaths: readOnly,
    })
    const lines = await outputOf(host.engine, spec.id)
    const results = Object.fromEntries(lines.map((line) => line.split('\t')))
    expect(results).toEqual({
      'mount tmpfs': perm,
      'mount bind': perm,
      remount: perm,
      umount: perm,
      pivot_root: noSuchCall,
      open_tree: noSuchCall,
      move_mount: noSuchCall,
      fsopen: noSuchCall,
      fspick: noSuchCall,
      mount_setattr: noSuchCall,
      'unshare user': perm,
      'unshare mount': perm,
      'unshare network': perm,
      'clone user': noSuchCall,
      clone3: noSuchCall,
      setns: perm,
      'ptrace attach': perm,
      'ptrace a process of the host': perm,
      process_vm_readv: noSuchCall,
      kcmp: noSuchCall,
      pidfd_getfd: noSuchCall,
      'kill a process of the host': 'error 3',
      bpf: perm,
      perf_event_open: noSuchCall,
      io_uring_setup: noSuchCall,
      userfaultfd: noSuchCall,
      keyctl: perm,
      add_key: noSuchCall,
      init_module: noSuchCall,
      finit_module: noSuchCall,
      kexec_load: noSuchCall,
      reboot: noSuchCall,
      swapon: noSuchCall,
      acct: noSuchCall,
      quotactl: noSuchCall,
      settimeofday: noSuchCall,
      clock_settime: noSuchCall,
      'adjtimex that sets': noSuchCall,
      sethostname: noSuchCall,
      syslog: noSuchCall,
      open_by_handle_at: noSuchCall,
      setpriority: 'error 13',
      ...(process.arch === 'x64' ? { iopl: noSuchCall, ioperm: noSuchCall, modify_ldt: noSuchCall } : {}),
      'socket AF_ALG': noSuchCall,
      'socket AF_VSOCK': noSuchCall,
      'socket AF_PACKET': perm,
      'socket raw AF_INET': perm,
      'mknod disk': perm,
      'mknod memory': perm,
      ...Object.fromEntries(
        ['mem', 'kmsg', 'vda', 'sda', 'loop0', 'fuse', 'kvm', 'net/tun'].map((name) => [
          `open /dev/${name}`,
          'error 2',
        ]),
      ),
      'write /proc/sys/kernel/core_pattern': refused,
      'write /proc/sys/kernel/modprobe': refused,
      'write /proc/sys/vm/overcommit_memory': refused,
      'write /proc/sys/net/ipv4/ip_forward': refused,
      'write /proc/sysrq-trigger': refused,
      'write /sys/kernel/uevent_helper': expect.stringMatching(/^error (2|13|30)$/),
      'write /proc/self/oom_score_adj': 'error 13',
      'control groups': 'tried',
      ...Object.fromEntries(masked.map((path) => [`read ${path}`, existsSync(path) ? 'empty' : 'error 2'])),
      'files of the host': 'none',
      'processes that are seen': 'its own',
      NoNewPrivs: '1',
      Seccomp: '2',
      CapEff: '00000000800405fb',
      CapBnd: '00000000800405fb',
      CapInh: '0000000000000000',
      CapAmb: '0000000000000000',
      ids: `${idRange.base} ${idRange.size}`,
      'open files': `error 24 at ${openFilesLimit()}`,
      forks: 'error 11 after 63',
      ...Object.fromEntries([...targets, ...others].map((address) => [`connect ${address}`, 'no'])),
      end: 'reached',
    })
  } finally {
    service.close()
    rmSync(folder, { recursive: true })
    await host.engine.containers.remove(neighbour.id, { force: true })
  }
})

/** What is said to be usual, or our own hard limit, which nobody may raise. */
function openFilesLimit(): number {
  const own = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return Math.min(65_536, Number(own ?? Number.POSITIVE_INFINITY))
}

/** Each fills what it can reach, and goes on trying. */
const bombs = {
  forks: 'fork while 1',
  memory: "my @all; push @all, 'x' x 1_000_000 while 1",
  processor: 'fork for 1 .. 3; 1 while 1',
  output: "print STDOUT 'x' x 1000, qq(\n) while 1",
  descriptors:
    "my @all; while (1) { open my $f, '<', '/dev/null' or last; push @all, $f } print qq(full $!\n); sleep 1000",
  disk: "open my $f, '>', '/fill'; 1 while syswrite $f, 'x' x 1_000_000; print qq(full $!\n); sleep 1000",
  inodes: "my $n = 0; 1 while open my $f, '>', '/tmp/' . $n++; print qq(full $!\n); sleep 1000",
}
const mib = 2 ** 20
const log = { maxBytes: 256 * 1024, files: 3 }

test('bombs burst in their own container, and the host beside them works as ever', async () => {
  const { containers } = host.engine
  const limits = { memoryBytes: 64 * mib, cpuMillis: 150, pids: 40, diskBytes: 32 * mib }
  const ids = {} as Record<keyof typeof bombs, string>
  const freeBefore = freeOf(host.stateDir)
  try {
    for (const [name, program] of Object.entries(bombs) as [keyof typeof bombs, string][]) {
      const { id } = await containers.create(
        host.spec({ image, command: ['/usr/bin/perl', '-e', `$| = 1; ${program}`], limits, log }),
      )
      ids[name] = id
      await containers.start(id)
    }
    const burst = await containers.wait(ids.memory, { signal: AbortSignal.timeout(60_000) })
    expect(burst).toMatchObject({ status: 'exited', exitCode: 137, oomKilled: true })
    const said = (id: string) => until(`${id} is full`, async () => (await readLines(host.engine, id))[0])
    expect(await said(ids.descriptors)).toBe('full Too many open files')
    // By a file system of its own, or by project quota.
    for (const id of [ids.disk, ids.inodes])
      expect(await said(id)).toMatch(/^full (No space left on device|Disk quota exceeded)$/)
    // Three of them want all there is for as long as they live, and get a part that was said before.
    const greedy = [ids.forks, ids.processor, ids.output]
    const before = await Promise.all(greedy.map((id) => containers.stats(id)))
    const slowestMs = await untilWorked(20)
    const after = await Promise.all(greedy.map((id) => containers.stats(id)))
    for (const [index, { at, cpuNs, pids }] of after.entries()) {
      const first = before[index]
      const passedMs = Date.parse(at) - Date.parse(first?.at ?? '')
      // A period of its quota more or less at each end.
      expect((cpuNs - (first?.cpuNs ?? 0)) / 1e6).toBeLessThan(passedMs * 0.15 + 60)
      expect(pids).toBeLessThanOrEqual(40)
    }
    expect(slowestMs).toBeLessThan(5_000)
    // Soon, but where others want the processor too, not within any given time.
    await until('it is held back', async () => (await containers.stats(ids.processor)).cpuThrottledNs > 0)
    await until('the flood is far more than is kept', async () => {
      for await (const line of containers.logs(ids.output, { tail: 1 }))
        return Number(line.cursor.split('.')[1]) > 6 * mib
    })
    const { logFile } = await containers.inspect(ids.output)
    // Twice what the monitor keeps by itself, and what was put aside and is not yet gone.
    expect(sizeOfFolder(dirname(logFile))).toBeLessThan(5 * mib)
    expect(freeBefore - freeOf(host.stateDir)).toBeLessThan(2 * 2 ** 30)
    for (const id of [...greedy, ids.descriptors, ids.disk, ids.inodes])
      expect(await containers.inspect(id)).toMatchObject({ status: 'running', oomKilled: false })
    const quiet = await containers.create(host.spec({ image, command: ['/bin/echo', 'well'] }))
    await containers.start(quiet.id)
    expect(await outputOf(host.engine, quiet.id)).toEqual(['well'])
    await containers.remove(quiet.id)
  } finally {
    for (const id of Object.values(ids)) await containers.remove(id, { force: true })
  }
})

const freeOf = (path: string) => {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

function sizeOfFolder(folder: string): number {
  const files = readdirSync(folder).map((name) => statSync(join(folder, name)))
  return [...new Map(files.map(({ ino, size }) => [ino, size])).values()].reduce((sum, size) => sum + size, 0)
}

/** Processes and files of the host, made so many times. Answers with the longest that one round took. */
async function untilWorked(rounds: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-work-'))
  let slowestMs = 0
  try {
    for (let round = 0; round < rounds; round++) {
      const startMs = performance.now()
      await promisify(execFile)('/bin/true')
      writeFileSync(join(folder, 'file'), randomBytes(100_000), { flush: true })
      slowestMs = Math.max(slowestMs, performance.now() - startMs)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return slowestMs
}
