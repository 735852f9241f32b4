import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'
import type { BenchContext } from '../bench.ts'
import { openWorkplace } from '../workplace.ts'
import { processorSecondsOf } from './processor-time.ts'

export interface Podman {
  /** Runs `podman ARGS…` on a store of the bench's own. */
  podman(...args: string[]): Promise<string>
  /** The same; answers with the seconds of the processor that it took. */
  timed(...args: string[]): Promise<number>
}

/** Podman with all its folders below the bench's, in the network namespace of that name. Else why not. */
export async function openPodman(context: BenchContext, namespace?: string): Promise<Podman | string> {
  if (!existsSync('/usr/bin/podman')) return 'podman is not installed'
  const folder = join(context.folder, 'podman')
  for (const name of ['root', 'tmp', 'networks']) mkdirSync(join(folder, name), { recursive: true })
  // Podman takes at most 50 characters here.
  const runtime = await openWorkplace('/run')
  context.defer(runtime.close)
  const places = [
    '--root',
    join(folder, 'root'),
    '--runroot',
    runtime.folder,
    '--tmpdir',
    join(folder, 'tmp'),
    '--network-config-dir',
    join(folder, 'networks'),
  ]
  const within = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`]
  const options = [
    '--storage-driver',
    'overlay',
    '--cgroup-manager',
    'cgroupfs',
    '--events-backend',
    'none',
    ...runtimeOption(folder),
  ]
  const command = [...within, 'podman', ...places, ...options]
  const how = {
    signal: context.signal,
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: join(folder, 'tmp') },
  }
  const podman = (...args: string[]) => run([...command, ...args], how)
  const timed = (...args: string[]) => processorSecondsOf([...command, ...args], how)
  try {
    await podman('info')
    return { podman, timed }
  } catch (error) {
    context.signal.throwIfAborted()
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * crun refuses a host where the v2 hierarchy holds a controller beside v1 ones. Berth's engine starts it where that
 * hierarchy is not mounted; podman gets the same.
 */
function runtimeOption(folder: string): string[] {
  const controllers = '/sys/fs/cgroup/unified/cgroup.controllers'
  if (!existsSync(controllers) || !existsSync('/usr/bin/crun')) return []
  const wrapper = join(folder, 'crun')
  const script = `exec unshare --mount sh -c 'umount /sys/fs/cgroup/unified && exec /usr/bin/crun "$@"' crun "$@"`
  writeFileSync(wrapper, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return ['--runtime', wrapper]
}
