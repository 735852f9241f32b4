import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'
import type { BenchContext } from '../bench.ts'

/** Runs `buildah ARGS…` with a store of the bench's own, as plain as it comes. Else why not. */
export function openBuildah({
  folder,
  signal,
}: BenchContext): ((...args: string[]) => Promise<string>) | string {
  if (!existsSync('/usr/bin/buildah')) return 'buildah is not installed'
  const own = join(folder, 'buildah')
  for (const name of ['root', 'run', 'tmp']) mkdirSync(join(own, name), { recursive: true })
  const places = ['--root', join(own, 'root'), '--runroot', join(own, 'run'), '--storage-driver', 'overlay']
  const env = { PATH: process.env.PATH, HOME: own, TMPDIR: join(own, 'tmp') }
  return (...args) => run(['buildah', ...places, ...args], { signal, env })
}
