/** The whole platform: parts in order, migrations between, and all of it stopped again when one can't start. */
import { join } from 'node:path'
import { edgePart, redisPart, registryPart, webPart, workerPart } from '../parts/others.ts'
import type { Part, PartContext } from '../parts/part.ts'
import { postgresPart } from '../parts/postgres.ts'
import { root, run } from '../processes.ts'
import { stage } from '../say.ts'
import { type OnLine, type RunningPart, runPart } from './run-part.ts'

export interface Platform {
  parts: RunningPart[]
  /** Those first that others serve; apps run on. Those to be left run on too, for the next supervisor to take over. */
  stop(options?: { onPart?: (name: string) => void; leave?: readonly Part['name'][] }): Promise<void>
  kill(): void
}

const stopOrder: Part['name'][][] = [['web', 'worker'], ['edge'], ['registry', 'redis'], ['postgres']]

/**
 * Starts everything. When something can't be started, or the signal fires, what was started is stopped and the reason
 * thrown.
 */
export async function supervise(
  context: PartContext,
  onLine: OnLine,
  signal: AbortSignal,
): Promise<Platform> {
  const { home, env } = context
  const parts: RunningPart[] = []
  const failed = new AbortController()
  const starting = AbortSignal.any([signal, failed.signal])
  const platform: Platform = {
    parts,
    async stop({ onPart, leave = [] } = {}) {
      for (const names of stopOrder)
        await Promise.all(
          parts
            .filter(({ name }) => names.includes(name))
            .map((part) => {
              if (leave.includes(part.name)) return part.leave()
              onPart?.(part.name)
              return part.stop()
            }),
        )
    },
    kill: () => {
      for (const part of parts) part.kill()
    },
  }
  const start = (make: () => Part | Promise<Part>, what: string) =>
    stage(what, async () => {
      starting.throwIfAborted()
      parts.push(await runPart(await make(), { home, onLine, signal: starting }))
    })
  try {
    await start(() => postgresPart(context), 'database')
    await start(() => redisPart(context), 'queue')
    await start(() => registryPart(context), 'registry')
    await stage('migrations', (note) =>
      run([process.execPath, join(root, 'prisma/migrate.ts')], { env, note, signal: starting }),
    )
    await bothOrNone(failed, [
      start(() => webPart(context), 'web app'),
      start(() => workerPart(context), 'worker'),
    ])
    await start(() => edgePart(context), 'edge')
    return platform
  } catch (error) {
    await platform.stop()
    throw error
  }
}

/** When one fails the other is called off, and is over too when the reason is thrown. */
async function bothOrNone(failed: AbortController, work: Promise<void>[]): Promise<void> {
  try {
    await Promise.all(work)
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled(work)
    throw error
  }
}
