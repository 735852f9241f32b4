/** config.json of a container. Pure. Source: the OCI runtime specification, 1.0.2. */
import type { ContainerLimits } from '../containers/containers.ts'
import { cpuPeriodUs, cpuQuotaUs } from '../sys/cgroup-limits.ts'
import type { IdRange } from '../sys/user-namespace.ts'
import type { SeccompProfile } from './seccomp.ts'
import type { Rlimit } from './ulimits.ts'

export interface ResolvedSpec {
  rootfs: string
  args: string[]
  environment: Record<string, string>
  workingDir: string
  user: { uid: number; gid: number; additionalGids: number[] }
  hostname: string
  limits: ContainerLimits
  idRange: IdRange
  /** Begins with a slash. */
  cgroup: string
  /** A process of the container whose user, pid and network namespaces it shares; null: it has its own. */
  joinedPid: number | null
  /** Host files that are bound over /etc/hosts, /etc/hostname and /etc/resolv.conf. */
  files: { hosts: string; hostname: string; resolvConf: string }
  rlimits: Rlimit[]
  capabilities: readonly string[]
  readOnlyRoot: boolean
  /** Beside the usual ones. */
  mounts: RuntimeMount[]
  /** A program of the host that is the first process; null for the command itself. */
  init: string | null
  /** Whether this kernel has IPv6 at all; containers do without it. */
  hasIpv6: boolean
  /** A profile, or the same already compiled by crun (base64). */
  seccomp: SeccompProfile | { compiled: string }
}

/** Docker's set without making device nodes, raw sockets and audit records. */
export const usualCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
]

/** With these, too, a container can mount and make namespaces inside its own user namespace. */
export const nestingCapabilities: readonly string[] = ['CAP_SYS_ADMIN']

/** A container has its own of each. */
export const namespaces = ['user', 'pid', 'mount', 'ipc', 'uts', 'network', 'cgroup'] as const
/** What one that joins another shares with it; whoever owns the others has to be in its user namespace. */
export const sharedNamespaces: readonly (typeof namespaces)[number][] = ['user', 'pid', 'network']
const namespaceFiles: Partial<Record<(typeof namespaces)[number], string>> = { network: 'net' }

export const maskedPaths: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  '/sys/fs/selinux',
]
export const readonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
]
const noIpv6 = { 'net.ipv6.conf.all.disable_ipv6': '1', 'net.ipv6.conf.default.disable_ipv6': '1' }

function bind(source: string, destination: string) {
  return { destination, type: 'bind', source, options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'] }
}

export interface RuntimeMount {
  destination: string
  type: string
  source: string
  options: string[]
}

export const initPath = '/dev/init'

export function runtimeConfig(spec: ResolvedSpec): Record<string, unknown> {
  const { limits, idRange } = spec
  const mapping = [{ containerID: 0, hostID: idRange.base, size: idRange.size }]
  return {
    // crun 1.8 knows versions by the text "1.0".
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: spec.user,
      args: spec.init === null ? spec.args : [initPath, '--', ...spec.args],
      env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
      cwd: spec.workingDir,
      // Not inheritable, and so not ambient either (CVE-2022-24769).
      capabilities: {
        bounding: spec.capabilities,
        effective: spec.capabilities,
        permitted: spec.capabilities,
      },
      noNewPrivileges: true,
      rlimits: spec.rlimits,
    },
    root: { path: spec.rootfs, readonly: spec.readOnlyRoot },
    hostname: spec.hostname,
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'noexec', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
      },
      {
        destination: '/dev/mqueue',
        type: 'mqueue',
        source: 'mqueue',
        options: ['nosuid', 'noexec', 'nodev'],
      },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      {
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: ['nosuid', 'noexec', 'nodev', 'ro'],
      },
      bind(spec.files.hosts, '/etc/hosts'),
      bind(spec.files.hostname, '/etc/hostname'),
      bind(spec.files.resolvConf, '/etc/resolv.conf'),
      ...(spec.init === null
        ? []
        : [
            {
              destination: initPath,
              type: 'bind',
              source: spec.init,
              options: ['bind', 'ro', 'nosuid', 'nodev'],
            },
          ]),
      ...spec.mounts,
    ],
    // Nothing of an image reaches this list: crun obeys annotations (CVE-2026-53488).
    annotations: 'compiled' in spec.seccomp ? { 'run.oci.seccomp_bpf_data': spec.seccomp.compiled } : {},
    linux: {
      cgroupsPath: spec.cgroup,
      namespaces: namespaces.map((type) => ({ type, ...pathOf(type, spec.joinedPid) })),
      uidMappings: mapping,
      gidMappings: mapping,
      // Of the network, which has them already where it is shared.
      sysctl:
        spec.joinedPid !== null
          ? {}
          : {
              'net.ipv4.ip_unprivileged_port_start': '0',
              // ping without raw sockets, for all ids that the container has.
              'net.ipv4.ping_group_range': `0 ${idRange.size - 1}`,
              ...(spec.hasIpv6 ? noIpv6 : {}),
            },
      resources: {
        memory: { limit: limits.memoryBytes, swap: limits.memoryBytes + (limits.swapBytes ?? 0) },
        cpu: { period: cpuPeriodUs, quota: cpuQuotaUs(limits.cpuMillis) },
        pids: { limit: limits.pids },
        devices: [
          { allow: false, access: 'rwm' },
          ...[
            [1, 3],
            [1, 5],
            [1, 7],
            [1, 8],
            [1, 9],
            [5, 0],
            [5, 2],
          ].map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
          { allow: true, type: 'c', major: 136, access: 'rwm' },
        ],
      },
      maskedPaths,
      readonlyPaths,
      ...('compiled' in spec.seccomp ? {} : { seccomp: spec.seccomp }),
    },
  }
}

function pathOf(type: (typeof namespaces)[number], pid: number | null): { path?: string } {
  if (pid === null || !sharedNamespaces.includes(type)) return {}
  return { path: `/proc/${pid}/ns/${namespaceFiles[type] ?? type}` }
}
