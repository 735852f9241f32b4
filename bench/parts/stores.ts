/** PostgreSQL and Redis as `berth up` runs them, with the platform's tables, for benches that need no more of a Berth. */
import { chmodSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { redisPart } from '../../cli/parts/others.ts'
import type { Part } from '../../cli/parts/part.ts'
import { postgresPart } from '../../cli/parts/postgres.ts'
import { freePort, partEnvironment, prepareHome } from '../../cli/settings.ts'
import { migrate } from '../../prisma/migrate.ts'
import type { BenchContext } from '../bench.ts'
import { startPart } from './part.ts'
import { processorSeconds } from './processor-time.ts'

export interface Stores {
  /** By which the platform finds them. */
  environment: Record<string, string>
  /** That PostgreSQL has taken, of the processor. */
  databaseSeconds(): number
}

export async function startStores(context: BenchContext): Promise<Stores> {
  const home = join(context.folder, 'home')
  // PostgreSQL's user must get through.
  for (const folder of [context.folder, dirname(context.folder)]) chmodSync(folder, 0o711)
  const settings = await prepareHome(home, { port: await freePort() })
  const environment = partEnvironment(home, settings)
  const parts = { home, settings, env: environment }
  const database = await start(context, await postgresPart(parts))
  await start(context, redisPart(parts))
  await migrate(environment.DATABASE_URL ?? '')
  return {
    environment,
    databaseSeconds: () => processorSeconds(({ pid, parent }) => pid === database || parent === database),
  }
}

/** Answers with its process. */
async function start(context: BenchContext, part: Part): Promise<number> {
  await part.prepare?.()
  const { uid, gid } = part
  const child = await startPart(context, {
    ...{ argv: part.argv, env: part.env, log: join(context.folder, `${part.name}.log`) },
    ...(uid === undefined || gid === undefined ? {} : { as: { uid, gid } }),
    isReady: () => part.check(0).then(() => true),
  })
  return child.pid ?? 0
}
