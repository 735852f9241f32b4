/** Debian's packages: which are missing, and how they come. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { run } from '../processes.ts'
import { CommandError, say, stage } from '../say.ts'

export interface NeededPackage {
  name: string
  /** One of these files shows that it is there. */
  files: string[]
  why: string
}

const bin = (...names: string[]) =>
  names.flatMap((name) => [`/usr/bin/${name}`, `/usr/sbin/${name}`, `/bin/${name}`, `/sbin/${name}`])

export const platformPackages: NeededPackage[] = [
  { name: 'redis-server', files: bin('redis-server'), why: 'queue and event log' },
  { name: 'haproxy', files: bin('haproxy'), why: 'the edge' },
  { name: 'docker-registry', files: bin('docker-registry'), why: 'the image registry' },
  { name: 'conmon', files: bin('conmon'), why: 'watches containers' },
  { name: 'crun', files: bin('crun'), why: 'starts containers' },
  { name: 'buildah', files: bin('buildah'), why: 'builds images from source' },
  { name: 'git', files: bin('git'), why: 'fetches source, takes in pushes' },
  { name: 'openssh-client', files: bin('ssh'), why: 'fetches source by deploy keys' },
  { name: 'dnsmasq-base', files: bin('dnsmasq'), why: 'names inside private networks' },
  { name: 'nftables', files: bin('nft'), why: 'firewall between networks' },
  { name: 'conntrack', files: bin('conntrack'), why: 'forgets connections to containers that are gone' },
  { name: 'iproute2', files: bin('ip'), why: 'bridges and interfaces' },
  { name: 'util-linux', files: bin('unshare'), why: 'namespaces' },
  {
    name: 'libisal2',
    files: ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/libisal.so.2`),
    why: 'inflates layers at twice the speed',
  },
  { name: 'busybox-static', files: bin('busybox'), why: 'the welcome app' },
  { name: 'openssl', files: bin('openssl'), why: "the registry's certificate" },
]

export const testPackages: NeededPackage[] = [
  { name: 'chromium', files: bin('chromium'), why: 'browser tests' },
  { name: 'fonts-noto-cjk', files: ['/usr/share/fonts/opentype/noto'], why: 'Chinese text in screenshots' },
  { name: 'skopeo', files: bin('skopeo'), why: 'pushes images as users do' },
  { name: 'podman', files: bin('podman'), why: 'pushes and pulls images as users do' },
  { name: 'umoci', files: bin('umoci'), why: 'unpacks images, to compare with' },
  { name: 'docker.io', files: bin('dockerd'), why: 'runs the platform in containers' },
  { name: 'docker-compose', files: bin('docker-compose'), why: 'reads docker-compose.yml' },
  { name: 'ufw', files: bin('ufw'), why: 'a firewall beside ours' },
  {
    name: 'firewalld',
    // Where systemd is, it would guard this machine from the next boot on: there its test is left out.
    files: [...bin('firewalld'), '/run/systemd/system'],
    why: 'another firewall beside ours',
  },
  { name: 'openssh-server', files: bin('sshd'), why: 'a Git server to fetch from' },
  { name: 'knot', files: bin('knotd'), why: 'a name server whose records are set by updates' },
  { name: 'pebble', files: bin('pebble'), why: 'an authority for certificates, as public ones are' },
  { name: 'mmdebstrap', files: bin('mmdebstrap'), why: 'makes images that stand in for public ones' },
  { name: 'wrk', files: bin('wrk'), why: 'asks the edge what the bench of it does' },
]

export function missingPackages(
  needed: NeededPackage[],
  exists: (path: string) => boolean = existsSync,
): NeededPackage[] {
  return needed.filter(({ files }) => !files.some(exists))
}

export function installCommand(packages: NeededPackage[]): string[] {
  return ['apt-get', 'install', '-y', '--no-install-recommends', ...packages.map(({ name }) => name)]
}

/** Installs what is missing, as root; otherwise throws with the exact command. */
export async function ensurePackages(needed: NeededPackage[]): Promise<void> {
  const missing = missingPackages(needed)
  if (missing.length === 0) return
  if (process.getuid?.() !== 0)
    throw new CommandError(
      `Berth needs packages that are not installed. Install them, then run this again:\n` +
        `  sudo apt-get update && sudo ${installCommand(missing).join(' ')}`,
    )
  if (!existsSync('/usr/bin/apt-get'))
    throw new CommandError(
      `Berth needs ${missing.map(({ name }) => name).join(', ')}, and this system has no apt-get. Install them by other means, then run this again.`,
    )
  for (const { name, why } of missing) say(`  will install ${name}: ${why}`)
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await stage("reading the distribution's package lists", (note) =>
    run(['apt-get', 'update'], { env: environment, note }),
  )
  await stage(`installing ${missing.length} packages`, (note) =>
    withoutServices(() => run(installCommand(missing), { env: environment, note })),
  )
  const still = missingPackages(needed)
  if (still.length > 0)
    throw new CommandError(`These packages are still not there: ${still.map(({ name }) => name).join(', ')}.`)
}

const policy = '/usr/sbin/policy-rc.d'
const ours =
  '#!/bin/sh\n# Made by berth while it installs packages: Berth starts its own redis, haproxy and registry.\nexit 101\n'

/** Packages would start services of their own on the usual ports; Debian asks this file whether they may. */
async function withoutServices<T>(work: () => Promise<T>): Promise<T> {
  const isOurs = !existsSync(policy) || readFileSync(policy, 'utf8') === ours
  if (isOurs) writeFileSync(policy, ours, { mode: 0o755 })
  try {
    return await work()
  } finally {
    if (isOurs) rmSync(policy, { force: true })
  }
}
