/** The whole platform: parts in order, migrations between, and all of it stopped again when one can't start. */
import { join } from 'node:path'
import { edgePart, redisPart, registryPart, webPart, workerPart } from '../parts/others.ts'
import type { Part, PartContext } from '../parts/part.ts'
import { postgresPart } from '../parts/postgres.ts'
import { root, run } from '../processes.ts'
import { stage } from '../say.ts'
import { type RunningPart, runPart } from './run-part.ts'

export interface Platform {
  parts: RunningPart[]
  /** In reverse order; apps run on. */
  stop(onPart?: (name: string) => void): Promise<void>
  kill(): void
}

/** Starts everything. When something can't be started, what was started is stopped and the reason thrown. */
export async function supervise(
  context: PartContext,
  onLine: (name: string, line: string) => void,
): Promise<Platform> {
  const { home, env } = context
  const parts: RunningPart[] = []
  const platform: Platform = {
    parts,
    async stop(onPart) {
      for (const part of [...parts].reverse()) {
        onPart?.(part.name)
        await part.stop()
      }
    },
    kill: () => {
      for (const part of parts) part.kill()
    },
  }
  const start = (make: () => Part | Promise<Part>, what: string) =>
    stage(what, async () => {
      parts.push(await runPart(await make(), { home, onLine }))
    })
  try {
    await start(() => postgresPart(context), 'database')
    await start(() => redisPart(context), 'queue')
    await start(() => registryPart(context), 'registry')
    await stage('migrations', (note) =>
      run([process.execPath, join(root, 'prisma/migrate.ts')], { env, note }),
    )
    await Promise.all([start(() => webPart(context), 'web app'), start(() => workerPart(context), 'worker')])
    await start(() => edgePart(context), 'edge')
    return platform
  } catch (error) {
    await platform.stop()
    throw error
  }
}
