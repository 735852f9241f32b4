/** What a container writes, until it ends: in front of `run` and `start -a`, and behind `attach`. */
import type { ContainerRow, LogRow } from '../../platform/model/engine-door.ts'
import type { Door } from './door.ts'
import { print } from './logs.ts'

export interface AttachOptions {
  /** Only lines of this time and later; default: all. */
  since?: string
  /** What Ctrl-C does the first time, as Docker has it: the second one leaves the container to itself. */
  onInterrupt: 'stop' | 'leave'
  removed?: boolean
}

/** One that was just made. */
export async function startNew(door: Door, id: string): Promise<ContainerRow> {
  try {
    return await door.ask<ContainerRow>('POST', `/containers/${id}/start`)
  } catch (error) {
    // What never ran leaves nothing behind.
    await door.ask('DELETE', `/containers/${id}`, { query: { force: true } }).catch(() => undefined)
    throw error
  }
}

/** Shows both streams of one that runs. Its exit code is this command's. */
export async function attach(door: Door, id: string, options: AttachOptions): Promise<void> {
  const path = `/containers/${encodeURIComponent(id)}`
  const seen: { cursor?: string } = {}
  const following = new AbortController()
  let asked = 0
  const onSignal = () => {
    asked += 1
    if (asked > 1 || options.onInterrupt === 'leave') process.exit(130)
    process.stderr.write('stopping it; once more leaves it to itself\n')
    door.ask('POST', `${path}/stop`).catch((error) => process.stderr.write(`berth: ${error.message}\n`))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const { since } = options
  const showing = show(door, path, { follow: true, since }, seen, following.signal)
  const ended = await door.work<never, ContainerRow>('GET', `${path}/wait`, {})
  following.abort()
  await showing
  await show(door, path, { follow: false, since, after: seen.cursor }, seen)
  if (options.removed) await door.ask('DELETE', path)
  if (ended.oomKilled) process.stderr.write(`berth: ${id} was out of memory and was killed\n`)
  process.exitCode = ended.exitCode ?? 255
}

async function show(
  door: Door,
  path: string,
  query: { follow: boolean; since?: string; after?: string },
  seen: { cursor?: string },
  signal?: AbortSignal,
): Promise<void> {
  try {
    for await (const row of door.lines<LogRow>('GET', `${path}/logs`, { query, signal })) {
      await print(row, {})
      seen.cursor = row.cursor
    }
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}
