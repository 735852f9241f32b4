/**
 * A container's folder for one run: what it mounts, `config.json`, and what conmon leaves there. On a tmpfs, readable
 * for the container's own ids, and gone with the boot as all that it stands for.
 */
import { closeSync, existsSync, lchownSync, lstatSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EngineError } from '../errors.ts'
import type { ImageConfig } from '../images/images.ts'
import type { Network } from '../network/networks.ts'
import type { RunSpec } from '../runtime/runtime.ts'
import type { RuntimeMount } from '../runtime/spec.ts'
import { rlimitsOf } from '../runtime/ulimits.ts'
import { resolveUser } from '../runtime/user.ts'
import type { ContainerMount, ContainerSpec } from './containers.ts'
import { fillVolume } from './fill-volume.ts'
import { capabilitiesOf } from './isolation.ts'

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Linked statically: an image may have no libraries. */
const inits = [
  '/usr/libexec/podman/catatonit',
  '/usr/bin/catatonit',
  '/usr/bin/tini-static',
  '/usr/sbin/tini-static',
]

/** The container whose namespaces one shares, as it runs. */
export interface Joined {
  pid: number
  user: RunSpec['user']
}

export interface BundleOptions {
  folder: string
  spec: ContainerSpec
  image: ImageConfig
  address: string
  network: Network
  cgroup: string
  joined: Joined | null
  /** Where a volume's data is. */
  openVolume(name: string, options: { direct: boolean }): Promise<string>
  /** Lends the folder of an open volume that never had anything; not of another. */
  fillVolume(name: string, fill: (data: string) => Promise<boolean>): Promise<void>
}

/** Makes the folder anew, with an empty `rootfs` to mount on. */
export async function makeBundle(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(join(folder, 'rootfs'), { recursive: true, mode: 0o711 })
}

/** Fills the folder once the root file system is mounted; answers with what the runtime needs to know. */
export async function fillBundle(options: BundleOptions): Promise<RunSpec> {
  const { folder, spec, image, address, network, cgroup } = options
  const hostname = spec.hostname ?? spec.id.replace(/[^a-z0-9-]/g, '-')
  const rootfs = join(folder, 'rootfs')
  const files = {
    hosts: join(folder, 'hosts'),
    hostname: join(folder, 'hostname'),
    resolvConf: join(folder, 'resolv.conf'),
  }
  await writeFile(files.hosts, `127.0.0.1 localhost\n::1 localhost\n${address} ${hostname}\n`, {
    mode: 0o644,
  })
  await writeFile(files.hostname, `${hostname}\n`, { mode: 0o644 })
  await writeFile(files.resolvConf, `nameserver ${network.gateway}\n`, { mode: 0o644 })
  const args = commandOf(spec, image)
  if (args.length === 0)
    throw new EngineError('invalid', `container ${spec.id} has no command, and its image has none either`)
  const named = spec.user ?? (options.joined === null ? image.user : undefined)
  const user =
    named === undefined && options.joined !== null
      ? { ...options.joined.user, home: '/' }
      : resolveUser(rootfs, named ?? '')
  for (const outside of [user.uid, user.gid, ...user.additionalGids].filter((n) => n >= spec.idRange.size))
    throw new EngineError(
      'invalid',
      `it should run as ${named ?? 'the user of another container'}, and a container has the ids below ${spec.idRange.size}: ${outside} is none`,
    )
  const workingDir = spec.workingDir ?? (image.workingDir || '/')
  makeFolder(rootfs, workingDir, spec.idRange.base + user.uid, spec.idRange.base + user.gid)
  const mounts = await Promise.all((spec.mounts ?? []).map((mount) => mountOf(mount, options.openVolume)))
  for (const { destination } of mounts) makeTarget(rootfs, destination, spec.idRange.base)
  const owner = { uid: spec.idRange.base + user.uid, gid: spec.idRange.base + user.gid }
  mounts.push(...(await givenFiles(folder, spec, owner)))
  for (const mount of spec.mounts ?? [])
    if (mount.kind === 'volume')
      await options.fillVolume(mount.volume, (data) => fillVolume(rootfs, mount.target, data, spec))
  return {
    rootfs,
    args,
    environment: {
      PATH: defaultPath,
      HOME: user.home,
      HOSTNAME: hostname,
      ...image.environment,
      ...spec.environment,
    },
    workingDir,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    hostname,
    limits: spec.limits,
    idRange: spec.idRange,
    cgroup,
    joinedPid: options.joined?.pid ?? null,
    files,
    rlimits: rlimitsOf(spec.ulimits ?? {}, readFileSync('/proc/self/limits', 'utf8')),
    capabilities: capabilitiesOf(spec),
    nesting: spec.nesting ?? false,
    ignoresSync: spec.ignoresSync ?? false,
    readOnlyRoot: spec.readOnlyRoot ?? false,
    mounts,
    init: spec.init ? initProgram() : null,
    runtimeClass: spec.runtimeClass ?? 'default',
    refusedSyscalls: spec.refusedSyscalls ?? [],
    hasIpv6: existsSync('/proc/sys/net/ipv6'),
  }
}

/**
 * Makes what is missing of a folder. Links are left to the runtime, which follows them inside the
 * container: here they would lead out of it. Throws invalid for a path below /proc (CVE-2024-21626).
 */
function makeFolder(rootfs: string, path: string, uid: number, gid: number): void {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (!path.startsWith('/') || parts.includes('..') || parts[0] === 'proc')
    throw new EngineError('invalid', `the folder ${path} is not allowed`)
  let current = rootfs
  for (const part of parts) {
    current = join(current, part)
    const found = lstatSync(current, { throwIfNoEntry: false })
    if (found?.isDirectory()) continue
    if (found) return
    mkdirSync(current, { mode: 0o755 })
    lchownSync(current, uid, gid)
  }
}

/** Docker's rules: an own command leaves the image's away; arguments keep its entrypoint. */
function commandOf(spec: ContainerSpec, image: ImageConfig): string[] {
  if (spec.entrypoint) return [...spec.entrypoint, ...(spec.command ?? spec.arguments ?? [])]
  return spec.command ?? [...image.entrypoint, ...(spec.arguments ?? image.command)]
}

async function mountOf(
  mount: ContainerMount,
  openVolume: BundleOptions['openVolume'],
): Promise<RuntimeMount> {
  const access = mount.readOnly ? 'ro' : 'rw'
  if (mount.kind === 'volume') {
    const source = await openVolume(mount.volume, { direct: mount.direct ?? false })
    // Not recursive and private: what is mounted below later stays the host's.
    const options = ['bind', 'private', 'nosuid', 'nodev', access]
    return { destination: mount.target, type: 'bind', source, options }
  }
  const options = ['nosuid', 'nodev', 'mode=1777', `size=${mount.sizeBytes}`, access]
  return { destination: mount.target, type: 'tmpfs', source: 'tmpfs', options }
}

/** What of the caller's files is mounted, each on an empty file. */
async function givenFiles(
  folder: string,
  { files = [], idRange }: ContainerSpec,
  owner: { uid: number; gid: number },
): Promise<RuntimeMount[]> {
  if (files.length > 0) await mkdir(join(folder, 'files'), { mode: 0o711 })
  return Promise.all(
    files.map(async ({ target, content }, at) => {
      makeFileTarget(join(folder, 'rootfs'), target, idRange.base)
      const source = join(folder, 'files', String(at))
      await writeFile(source, content, { mode: 0o400, flag: 'wx' })
      lchownSync(source, owner.uid, owner.gid)
      return {
        destination: target,
        type: 'bind',
        source,
        options: ['bind', 'private', 'nosuid', 'nodev', 'noexec', 'ro'],
      }
    }),
  )
}

/** A file to mount on: it stays empty, whatever is mounted. */
function makeFileTarget(rootfs: string, target: string, owner: number): void {
  const parent = dirname(target)
  if (parent !== '/') makeTarget(rootfs, parent, owner)
  const path = join(rootfs, target)
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isFile()) return
  if (found !== undefined)
    throw new EngineError(
      'invalid',
      `no file can be put at ${target}: the image has a link or a folder there`,
    )
  closeSync(openSync(path, 'wx', 0o444))
  lchownSync(path, owner, owner)
}

/** A folder to mount on. A link in its place could lead the mount elsewhere, so there must be none. */
function makeTarget(rootfs: string, target: string, owner: number): void {
  makeFolder(rootfs, target, owner, owner)
  let current = rootfs
  for (const part of target.split('/').filter(Boolean)) {
    current = join(current, part)
    if (!lstatSync(current, { throwIfNoEntry: false })?.isDirectory())
      throw new EngineError(
        'invalid',
        `nothing can be mounted on ${target}: the image has a link or a file there`,
      )
  }
}

function initProgram(): string {
  const found = inits.find((path) => existsSync(path))
  if (found === undefined)
    throw new EngineError('unsupported', 'no init program is installed: apt-get install catatonit, or tini')
  return found
}
