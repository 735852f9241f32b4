import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'
import type { BenchContext } from '../bench.ts'
import { startPart } from './part.ts'
import { processorSecondsOf } from './processor-time.ts'

export interface Docker {
  /** Runs `docker ARGS…` against the bench's own daemon. */
  docker(...args: string[]): Promise<string>
  /** The same; answers with the seconds of the processor that the command itself took. */
  timed(...args: string[]): Promise<number>
  pid: number
}

// Another client that happens to come first in PATH is not Debian's.
const client = '/usr/bin/docker'
const daemon = '/usr/sbin/dockerd'

/**
 * A Docker daemon of the bench's own, all files in our folder: with no network and no firewall rules, or with both in
 * a network namespace of that name. Else why not.
 */
export async function startDocker(context: BenchContext, namespace?: string): Promise<Docker | string> {
  if (!existsSync(daemon) || !existsSync(client)) return 'Docker (package docker.io) is not installed'
  const folder = join(context.folder, 'docker')
  mkdirSync(folder)
  const address = `unix://${join(folder, 'socket')}`
  const command = [client, '--host', address]
  const options = { signal: context.signal, env: { PATH: process.env.PATH, HOME: folder } }
  const docker = (...args: string[]) => run([...command, ...args], options)
  const timed = (...args: string[]) => processorSecondsOf([...command, ...args], options)
  const argv = [daemon, '--host', address, '--pidfile', join(folder, 'pid'), '--log-level', 'error']
  const places = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')]
  const alone = ['--bridge', 'none', '--iptables=false', '--ip6tables=false']
  try {
    const child = await startPart(context, {
      argv:
        namespace === undefined
          ? [...argv, ...places, ...alone]
          : ['nsenter', `--net=/run/netns/${namespace}`, ...argv, ...places],
      log: join(folder, 'log'),
      isReady: async () => (await docker('version')).length > 0,
    })
    return { docker, timed, pid: child.pid ?? 0 }
  } catch (error) {
    context.signal.throwIfAborted()
    return error instanceof Error ? error.message : String(error)
  }
}
