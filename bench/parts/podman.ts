import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'
import type { BenchContext } from '../bench.ts'
import { openWorkplace } from '../workplace.ts'

export interface Podman {
  /** Runs `podman ARGS…` on a store of the bench's own. */
  podman(...args: string[]): Promise<string>
}

/** Podman with all its folders below the bench's. Else why not. */
export async function openPodman(context: BenchContext): Promise<Podman | string> {
  if (!existsSync('/usr/bin/podman')) return 'podman is not installed'
  const folder = join(context.folder, 'podman')
  for (const name of ['root', 'tmp']) mkdirSync(join(folder, name), { recursive: true })
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
  ]
  const options = ['--storage-driver', 'overlay', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none']
  const podman = (...args: string[]) =>
    run(['podman', ...places, ...options, ...args], {
      signal: context.signal,
      env: { PATH: process.env.PATH, HOME: folder, TMPDIR: join(folder, 'tmp') },
    })
  try {
    await podman('info')
    return { podman }
  } catch (error) {
    context.signal.throwIfAborted()
    return error instanceof Error ? error.message : String(error)
  }
}
