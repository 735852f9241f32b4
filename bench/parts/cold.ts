import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { run } from '../../cli/processes.ts'

/** Removes what a turn left, and has the disk done with it, so that the next turn does not pay for this one. */
export async function clear(folder: string, signal: AbortSignal): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(dirname(folder), { recursive: true })
  await settle(dirname(folder), signal)
}

/** Waits until all that was written to the file system of a folder is on disk. */
export async function settle(folder: string, signal: AbortSignal): Promise<void> {
  await run(['sync', '--file-system', folder], { signal })
}
