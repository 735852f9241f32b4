/**
 * A container's folder for one run: what it mounts, `config.json`, and what conmon leaves there. On a tmpfs, readable
 * for the container's own ids, and gone with the boot as all that it stands for.
 */
import { existsSync, lchownSync, lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'
import type { ImageConfig } from '../images/images.ts'
import type { Network } from '../network/networks.ts'
import type { ResolvedSpec } from '../runtime/spec.ts'
import { resolveUser } from '../runtime/user.ts'
import type { ContainerSpec } from './containers.ts'

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const mostOpenFiles = 65_536

export interface BundleOptions {
  folder: string
  spec: ContainerSpec
  image: ImageConfig
  address: string
  network: Network
  cgroup: string
}

/** Makes the folder anew, with an empty `rootfs` to mount on. */
export async function makeBundle(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(join(folder, 'rootfs'), { recursive: true, mode: 0o711 })
}

/** Fills the folder once the root file system is mounted; answers with what the runtime needs to know. */
export async function fillBundle(options: BundleOptions): Promise<Omit<ResolvedSpec, 'seccomp'>> {
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
  const args = spec.command ?? [...image.entrypoint, ...image.command]
  if (args.length === 0)
    throw new EngineError('invalid', `container ${spec.id} has no command, and its image has none either`)
  const user = resolveUser(rootfs, image.user)
  for (const outside of [user.uid, user.gid, ...user.additionalGids].filter((n) => n >= spec.idRange.size))
    throw new EngineError(
      'invalid',
      `the image runs as ${image.user}, and a container has the ids below ${spec.idRange.size}: ${outside} is none`,
    )
  const workingDir = image.workingDir || '/'
  makeWorkingDir(rootfs, workingDir, spec.idRange.base + user.uid, spec.idRange.base + user.gid)
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
    files,
    openFiles: openFilesLimit(),
    hasIpv6: existsSync('/proc/sys/net/ipv6'),
  }
}

/**
 * Makes what is missing of the image's working folder. Links are left to the runtime, which follows them inside the
 * container: here they would lead out of it. Throws invalid for a path below /proc (CVE-2024-21626).
 */
function makeWorkingDir(rootfs: string, path: string, uid: number, gid: number): void {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (!path.startsWith('/') || parts.includes('..') || parts[0] === 'proc')
    throw new EngineError('invalid', `the image's working folder ${path} is not allowed`)
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

/** Never above what this process may have: raising a hard limit needs CAP_SYS_RESOURCE. */
function openFilesLimit(): number {
  const row = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
  const hard = Number(row?.[1])
  return Number.isSafeInteger(hard) ? Math.min(hard, mostOpenFiles) : mostOpenFiles
}
