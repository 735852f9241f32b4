import { PlatformError } from './errors.ts'
import { type TimelineEntry, timelineEntrySchema } from './model/app-event-kinds.ts'
import { type BuildLine, buildLineSchema } from './model/builds.ts'
import {
  type AccessChange,
  accessChangeSchema,
  type DeploymentEvent,
  deploymentEventSchema,
  type LogLine,
  logLineSchema,
  type TeamEvent,
  teamEventSchema,
} from './model/events.ts'
import type { Platform } from './open.ts'
import { isAway } from './redis-away.ts'

/** One stream of events in Redis. Which kind it is decides its events' type, how many are kept and how long. */
export interface StreamKey<Event> {
  readonly name: string
  readonly parse: (value: unknown) => Event
  /** About so many of the newest entries are kept. */
  readonly maxLength: number
  readonly keepForSeconds: number
}

const daySeconds = 86_400

export const streams = {
  team: (id: string): StreamKey<TeamEvent> => ({
    name: `berth:events:team:${id}`,
    parse: (value) => teamEventSchema.parse(value),
    maxLength: 2_000,
    keepForSeconds: daySeconds,
  }),
  deployment: (id: string): StreamKey<DeploymentEvent> => ({
    name: `berth:events:deployment:${id}`,
    parse: (value) => deploymentEventSchema.parse(value),
    maxLength: 5_000,
    keepForSeconds: 7 * daySeconds,
  }),
  build: (deploymentId: string): StreamKey<BuildLine> => ({
    name: `berth:builds:${deploymentId}`,
    parse: (value) => buildLineSchema.parse(value),
    maxLength: 60_000,
    keepForSeconds: 2 * daySeconds,
  }),
  access: (): StreamKey<AccessChange> => ({
    name: 'berth:events:access',
    parse: (value) => accessChangeSchema.parse(value),
    maxLength: 1_000,
    keepForSeconds: daySeconds,
  }),
  timeline: (appId: string): StreamKey<TimelineEntry> => ({
    name: `berth:events:app:${appId}`,
    parse: (value) => timelineEntrySchema.parse(value),
    maxLength: 500,
    keepForSeconds: daySeconds,
  }),
  appLogs: (id: string): StreamKey<LogLine> => ({
    // Entries' ids are the numbers of the lines.
    name: `berth:log-lines:app:${id}`,
    parse: (value) => logLineSchema.parse(value),
    maxLength: 5_000,
    keepForSeconds: 30 * daySeconds,
  }),
}

/**
 * Appends events in their order. Call it after the transaction that they tell of. Never throws: who follows reads the
 * state itself when it connects, and what failed is in the log.
 */
export async function publish<Event>(
  platform: Platform,
  stream: StreamKey<Event>,
  ...events: Event[]
): Promise<void> {
  if (events.length === 0) return
  if (isAway(platform.redis)) {
    platform.log.warn({ stream: stream.name }, 'events are not published: redis is away')
    return
  }
  const pipeline = platform.redis.pipeline()
  for (const event of events) {
    pipeline.xadd(stream.name, 'MAXLEN', '~', stream.maxLength, '*', 'event', JSON.stringify(event))
  }
  pipeline.expire(stream.name, stream.keepForSeconds)
  try {
    const results = await pipeline.exec()
    const failed = results?.find(([error]) => error !== null)
    if (failed?.[0]) throw failed[0]
  } catch (error) {
    platform.log.warn({ err: error, stream: stream.name }, 'events could not be published')
  }
}

export interface Entry<Event> {
  /** Where to go on after this event: `after` of a later follow. */
  id: string
  event: Event
}

export interface FollowOptions {
  /** Id of the last event seen. Without it: everything that is kept; `$`: only what comes from now on. */
  after?: string
  signal: AbortSignal
}

const batchSize = 500

/** Events in order, without end until the signal: then it returns. Throws `bad-request` for an `after` that is no id. */
export async function* follow<Event>(
  platform: Platform,
  stream: StreamKey<Event>,
  options: FollowOptions,
): AsyncGenerator<Entry<Event>, void, undefined> {
  let position = await startOf(platform, stream, options.after)
  while (!options.signal.aborted) {
    const entries = await platform.redis.xrange(stream.name, `(${position}`, '+', 'COUNT', batchSize)
    for (const [id, fields] of entries) {
      if (options.signal.aborted) return
      position = id
      yield { id, event: stream.parse(JSON.parse(fields[1] ?? 'null')) }
    }
    if (entries.length < batchSize) await platform.reader.waitFor(stream.name, position, options.signal)
  }
}

/** Id after which to begin for an `after`; `$`: the end as it is now. */
export async function startOf<Event>(
  platform: Platform,
  stream: StreamKey<Event>,
  after: string | undefined,
): Promise<string> {
  if (after === undefined) return '0-0'
  if (after === '$')
    return (await platform.redis.xrevrange(stream.name, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0'
  if (!/^\d{1,16}-\d{1,16}$/.test(after)) {
    throw new PlatformError('bad-request', 'Last-Event-ID is not an id that this stream gave out.')
  }
  return after
}
