import { rmSync } from 'node:fs'
import { run } from '../../cli/processes.ts'

/** Removes what a turn left, and has the disk done with it, so that the next turn does not pay for this one. */
export async function clear(folder: string, signal: AbortSignal): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  await run(['sync'], { signal })
}
