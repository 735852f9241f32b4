/** What a hostile program gets from inside a container: nothing. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { idRange, outputOf, startEngine, type TestEngine } from '../../support/engine.ts'
import { perlImage } from '../../support/perl-image.ts'

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

const perm = 'error 1'
const noSuchCall = 'error 38'
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
        ['mem', 'kmsg', 'vda', 'sda', 'loop0', 'fuse', 'kvm'].map((name) => [`open /dev/${name}`, 'error 2']),
      ),
      'write /proc/sys/kernel/core_pattern': refused,
      'write /proc/sys/kernel/modprobe': expect.stringMatching(/^error (2|30)$/),
      'write /proc/sys/vm/overcommit_memory': refused,
      'write /proc/sys/net/ipv4/ip_forward': refused,
      'write /proc/sysrq-trigger': refused,
      'write /sys/kernel/uevent_helper': expect.stringMatching(/^error (2|13|30)$/),
      'write /proc/self/oom_score_adj': 'error 13',
      'control groups': 'tried',
      'read /proc/kcore': 'nothing',
      'read /proc/keys': 'nothing',
      'read /proc/timer_list': 'nothing',
      'read /proc/sched_debug': 'nothing',
      'read /sys/firmware/dmi': 'nothing',
      'files of the host': 'none',
      'processes that are seen': 'its own',
      NoNewPrivs: '1',
      Seccomp: '2',
      CapEff: '00000000800405fb',
      CapBnd: '00000000800405fb',
      CapInh: '0000000000000000',
      CapAmb: '0000000000000000',
      ids: `${idRange.base} ${idRange.size}`,
      'open files': 'error 24 after its share',
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

test('bombs burst in their own container, and beside them others start and stop as ever', async () => {
  const bombs = {
    forks: 'fork while 1',
    memory: "my @all; push @all, 'x' x 1_000_000 while 1",
    processor: 'fork for 1 .. 3; 1 while 1',
    output: "print STDOUT 'x' x 1000, qq(\n) while 1",
    files: "my $n = 0; while (open my $f, '>', '/tmp/' . $n++) { print $f 'x' }; sleep 100",
  }
  const { containers } = host.engine
  const running: string[] = []
  try {
    for (const program of Object.values(bombs)) {
      const limits = { memoryBytes: 64 * 2 ** 20, cpuMillis: 300, pids: 40 }
      const { id } = await containers.create(
        host.spec({ image, command: ['/usr/bin/perl', '-e', program], limits }),
      )
      running.push(id)
      await containers.start(id)
    }
    const [, memory = ''] = running
    const burst = await containers.wait(memory, { signal: AbortSignal.timeout(60_000) })
    expect(burst).toMatchObject({ status: 'exited', exitCode: 137, oomKilled: true })
    const quiet = await containers.create(host.spec({ image, command: ['/bin/echo', 'well'] }))
    running.push(quiet.id)
    await containers.start(quiet.id)
    expect(await outputOf(host.engine, quiet.id)).toEqual(['well'])
    for (const id of running.filter((id) => id !== memory && id !== quiet.id))
      expect(await containers.inspect(id)).toMatchObject({ status: 'running', oomKilled: false })
  } finally {
    for (const id of running) await containers.remove(id, { force: true })
  }
})
