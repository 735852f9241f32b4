import type { Platform } from './open.ts'

export interface Health {
  database: boolean
  redis: boolean
}

const patienceMs = 3_000

/** Whether the servers behind the platform answer, each asked for at most three seconds. Never throws. */
export async function checkHealth(platform: Platform): Promise<Health> {
  const [database, redis] = await Promise.all([
    answers(platform.db.$queryRaw`SELECT 1`),
    answers(platform.redis.ping()),
  ])
  return { database, redis }
}

async function answers(question: Promise<unknown>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(resolve, patienceMs, false)
  question.then(
    () => resolve(true),
    () => resolve(false),
  )
  return promise.finally(() => clearTimeout(timer))
}
