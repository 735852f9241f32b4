import { Redis } from 'ioredis'
import type { Config } from './config.ts'
import { type Database, openDatabase } from './database.ts'
import { createStreamReader, type StreamReader } from './event-reader.ts'
import { createQueues, type Queues } from './jobs.ts'
import { createLogger, type Logger, type LoggerOptions } from './log.ts'
import { type Keyring, loadKeyring } from './secrets.ts'

/** What every function of the platform takes first. Made once in each process. */
export interface Platform {
  readonly config: Config
  readonly db: Database
  /** For short commands; those that block have connections of their own. */
  readonly redis: Redis
  readonly reader: StreamReader
  readonly keyring: Keyring
  readonly queues: Queues
  readonly log: Logger
  close(): Promise<void>
}

/** Opens it without waiting for the servers: the first question connects, and says what is wrong. */
export async function openPlatform(
  config: Config,
  options: { part?: string; logFormat?: LoggerOptions['format'] } = {},
): Promise<Platform> {
  const { part = 'platform', logFormat } = options
  const log = createLogger({ level: config.logLevel, part, format: logFormat })
  const keyring = loadKeyring(config)
  const db = openDatabase(config.databaseUrl)
  const redis = new Redis({
    ...config.redis,
    lazyConnect: true,
    // A request must not hang for as long as Redis is away; what is desired is in the database.
    maxRetriesPerRequest: 1,
    commandTimeout: 3_000,
    retryStrategy: (times) => Math.min(times * 100, 1_000),
  })
  redis.on('error', (error) => log.warn({ err: error }, 'redis does not answer'))
  const reader = createStreamReader(config.redis, redis, log)
  const queues = createQueues(config.redis, log)
  return {
    config,
    db,
    redis,
    reader,
    keyring,
    queues,
    log,
    async close() {
      await reader.close()
      await queues.close()
      redis.disconnect()
      await db.$disconnect()
    },
  }
}
