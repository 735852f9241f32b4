/** `berth doctor`: what this host has and lacks, and for each problem what to do. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { freemem, release, totalmem } from 'node:os'
import { installCommand, missingPackages, platformPackages } from '../prepare/packages.ts'
import { closedFolder, nearestFolder } from '../prepare/place.ts'
import { portHolder } from '../prepare/port-holder.ts'
import { run } from '../processes.ts'
import { CommandError, paint, say } from '../say.ts'
import { type HomeOptions, homeFolder, isFree, readSettings } from '../settings.ts'
import { liveInstance } from '../supervisor/instance.ts'

export interface Finding {
  what: string
  state: 'good' | 'warning' | 'bad'
  detail: string
  /** What to do, unless it is good. */
  mend: string
}

const good = (what: string, detail: string): Finding => ({ what, state: 'good', detail, mend: '' })

/** Whether a kernel version such as 6.1.0-13-amd64 is at least this. */
export function kernelIsAtLeast(version: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version.split(/[.-]/).map(Number)
  return a > major || (a === major && b >= minor)
}

/** Things the engine does, done once where nobody sees them: in namespaces that end with the command. */
const kernelTrials = [
  {
    what: 'overlayfs',
    argv: inShell(
      '--mount',
      'mount -t tmpfs none /mnt && cd /mnt && mkdir a b c d && mount -t overlay -o lowerdir=a,upperdir=b,workdir=c none d',
    ),
    mend: 'load it (modprobe overlay), or use a kernel that has it',
  },
  {
    what: 'user namespaces',
    argv: inShell('--user', 'true'),
    mend: 'allow them: sysctl -w user.max_user_namespaces=15000 (in a chroot they are never allowed)',
  },
  {
    what: 'bridges and veth',
    argv: inShell(
      '--net',
      'ip link add name berth0 type bridge && ip link add name berth1 type veth peer name berth2',
    ),
    mend: 'load them (modprobe -a bridge veth), or use a kernel that has them',
  },
  {
    what: 'nftables',
    argv: inShell(
      '--net',
      "nft 'table inet t { set s { type ifname; }; chain c { type filter hook forward priority 0; iifname @s drop; }; }'",
    ),
    mend: 'load it (modprobe nf_tables), or use a kernel that has it',
  },
]

function inShell(namespace: string, script: string): string[] {
  // Who is not root may try as root of a user namespace.
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user']
  return ['unshare', ...asRoot, namespace, 'sh', '-c', script]
}

/** Null when it worked, otherwise the last words of what did not. */
async function trial(argv: string[]): Promise<string | null> {
  try {
    await run(argv, { cwd: '/', timeout: 10_000 })
    return null
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1) ?? 'failed'
  }
}

export async function findings(home: string): Promise<Finding[]> {
  const list: Finding[] = []
  const check = (
    isGood: boolean,
    what: string,
    detail: string,
    mend: string,
    state: 'bad' | 'warning' = 'bad',
  ) => list.push(isGood ? good(what, detail) : { what, state, detail, mend })
  check(process.getuid?.() === 0, 'root', `user id ${process.getuid?.()}`, 'run Berth with sudo')
  check(
    kernelIsAtLeast(release(), 5, 19),
    'kernel',
    release(),
    'layers are shared between teams by idmapped overlay mounts, which came with Linux 5.19: install a later kernel',
  )
  for (const { what, argv, mend } of kernelTrials) {
    const problem = await trial(argv)
    check(problem === null, what, problem ?? 'tried', mend)
  }
  const v2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
  const v1 = existsSync('/sys/fs/cgroup/memory') && existsSync('/sys/fs/cgroup/pids')
  const mode = v2
    ? 'version 2'
    : v1
      ? existsSync('/sys/fs/cgroup/unified')
        ? 'version 1, hybrid'
        : 'version 1'
      : 'none'
  check(v2 || v1, 'cgroups', mode, 'mount them: apt-get install cgroupfs-mount, or boot with systemd')
  if (v2) {
    const controllers = read('/sys/fs/cgroup/cgroup.controllers') ?? ''
    const lacking = ['cpu', 'memory', 'pids'].filter((name) => !controllers.includes(name))
    check(
      lacking.length === 0,
      'cgroup controllers',
      controllers.trim(),
      `boot the kernel with ${lacking.join(', ')} enabled (cgroup_enable=…)`,
    )
  }
  const missing = missingPackages(platformPackages)
  check(
    missing.length === 0,
    'packages',
    missing.length === 0
      ? `${platformPackages.length} there`
      : `missing: ${missing.map(({ name }) => name).join(', ')}`,
    installCommand(missing).join(' '),
  )
  const settings = readSettings(home)
  const port = settings?.port ?? 7080
  const runs = liveInstance(home) !== null
  check(
    runs || (await isFree(port, '0.0.0.0')),
    `port ${port}`,
    runs ? 'ours' : (portHolder(port) ?? 'free'),
    'choose another one: berth up --port N',
    'warning',
  )
  const folder = nearestFolder(home)
  const { bavail, bsize } = await statfs(folder)
  const freeBytes = bavail * bsize
  check(
    freeBytes > 5 * 2 ** 30,
    'disk',
    `${gigabytes(freeBytes)} free at ${folder}`,
    'images need room: 5 GiB at least',
    freeBytes > 500 * 2 ** 20 ? 'warning' : 'bad',
  )
  check(canWrite(folder), 'home folder', folder, `make ${folder} writable`)
  const closed = closedFolder(home)
  check(
    closed === null,
    'way to the home folder',
    closed === null ? 'open' : `closed at ${closed}`,
    `PostgreSQL runs as a user of its own, who must get through: chmod o+x ${closed}`,
  )
  check(
    totalmem() > 1.8 * 2 ** 30,
    'memory',
    `${gigabytes(totalmem())}, ${gigabytes(freemem())} free`,
    '2 GiB at least',
    'warning',
  )
  check(
    Number(process.versions.node.split('.')[0]) >= 24,
    'Node',
    process.version,
    'start Berth by ./berth, which brings Node 24',
  )
  return list
}

export function mustBeMended(list: Finding[]): Finding[] {
  return list.filter(({ state }) => state === 'bad')
}

export async function doctor(options: HomeOptions & { json?: boolean }): Promise<void> {
  const list = await findings(homeFolder(options))
  const bad = mustBeMended(list)
  if (options.json) say(JSON.stringify({ ok: bad.length === 0, findings: list }, null, 2))
  else
    for (const { what, state, detail, mend } of list) {
      const mark = { good: paint('green', '✓'), warning: paint('yellow', '!'), bad: paint('red', '✗') }[state]
      say(`${mark} ${what.padEnd(24)} ${detail}${mend ? `\n    ${mend}` : ''}`)
    }
  if (bad.length > 0)
    throw new CommandError(`${bad.length} of ${list.length} must be mended before Berth can run here.`)
}

const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}
