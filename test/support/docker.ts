/**
 * A Docker of its own: a daemon with its own folder, socket and mounts, without a bridge or a firewall rule, so that its
 * containers use the host's network; or with both, in another network namespace. Nothing of it, or of what it started, is there afterwards.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { cgroupFolders, enterCgroup, removeCgroup } from '../../engine/sys/cgroups.ts'
import { until } from './until.ts'

export interface TestDocker {
  /** The address, as DOCKER_HOST. */
  host: string
  pid: number
  /** What the daemon answers to a GET. Source: Docker Engine API. */
  ask<T>(path: string): Promise<T>
  /** What is mounted where the daemon lives, a line each. */
  mounts(): string[]
  close(): Promise<void>
}

/** As a host with systemd does it: mounts are shared, and another namespace's can be seen here. */
const sharedMounts = 'mount --make-rshared / && exec "$@"'

const withoutNetwork = {
  bridge: 'none',
  iptables: 'false',
  ip6tables: 'false',
  'ip-forward': 'false',
  'ip-masq': 'false',
}

/** @param networkOf a process, in whose network namespace the daemon makes its usual bridge and firewall */
export async function startDocker({ networkOf }: { networkOf?: number } = {}): Promise<TestDocker> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-docker-'))
  const socket = join(folder, 'docker.sock')
  const cgroup = `/${folder.split('/').at(-1)}`
  const log = join(folder, 'log')
  const flags = {
    'data-root': join(folder, 'data'),
    'exec-root': join(folder, 'exec'),
    pidfile: join(folder, 'pid'),
    host: `unix://${socket}`,
    'cgroup-parent': cgroup,
    // Where systemd is, the default is its own driver, for which groups have other names.
    'exec-opt': 'native.cgroupdriver=cgroupfs',
    ...(networkOf === undefined ? withoutNetwork : {}),
    'userland-proxy': 'false',
  }
  const daemon = ['dockerd', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)]
  // Ends with us, also when we are killed.
  const network = networkOf === undefined ? [] : ['nsenter', `--net=/proc/${networkOf}/ns/net`]
  const argv = [
    '--pdeathsig=TERM',
    ...network,
    'unshare',
    '--mount',
    'sh',
    '-c',
    sharedMounts,
    'sh',
    ...daemon,
  ]
  const output = openSync(log, 'a')
  const child = spawn('setpriv', argv, { detached: true, stdio: ['ignore', output, output] })
  const gone = once(child, 'exit')
  const { pid } = child
  if (pid === undefined) throw new Error('setpriv could not be started')
  enterCgroup(await cgroupFolders(`${cgroup}-daemon`), pid)

  async function ask<T>(path: string): Promise<T> {
    const asked = request({ socketPath: socket, path, timeout: 30_000 })
    asked.end()
    const [answer] = await once(asked, 'response')
    const body = await text(answer)
    if (answer.statusCode !== 200) throw new Error(`Docker answered ${answer.statusCode} to ${path}: ${body}`)
    return JSON.parse(body) as T
  }

  async function close(): Promise<void> {
    child.kill('SIGTERM')
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 20_000).unref())])
    // The daemon if it hangs, its containerd, whatever a container left; and with them their mounts.
    for (const group of [`${cgroup}-daemon`, cgroup]) await removeCgroup(group)
    await gone
    await rm(folder, { recursive: true, force: true })
  }

  try {
    await until('the Docker daemon answers', () => {
      if (child.exitCode !== null) throw new Error('it ended')
      return ask('/version')
    })
  } catch (error) {
    const said = readFileSync(log, 'utf8').slice(-4_000)
    await close()
    throw new Error(`The Docker daemon did not start. It said:\n${said}`, { cause: error })
  }
  return {
    host: flags.host,
    pid,
    ask,
    mounts: () => readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n'),
    close,
  }
}
