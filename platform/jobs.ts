import { type JobsOptions, Queue } from 'bullmq'
import { z } from 'zod'
import type { Logger } from './log.ts'
import type { Platform } from './open.ts'
import { isAway } from './redis-away.ts'
import type { RedisAddress } from './redis-url.ts'

/**
 * What the worker of a host can be asked for: a name, a schema, a policy. Handlers live in worker/jobs. Jobs are only
 * a quick push towards the desired state in the database: a lost one costs time, never state.
 */
export const jobs = {
  deploy: { schema: z.strictObject({ deploymentId: z.string() }), attempts: 5 },
  'stop-app': { schema: z.strictObject({ appId: z.string() }), attempts: 10 },
  'scale-app': { schema: z.strictObject({ appId: z.string() }), attempts: 5 },
  'start-app': { schema: z.strictObject({ appId: z.string() }), attempts: 10 },
  'delete-app': { schema: z.strictObject({ appId: z.string() }), attempts: 10 },
  'run-once': { schema: z.strictObject({ runId: z.string() }), attempts: 5 },
  'work-on-volume': { schema: z.strictObject({ volumeId: z.string() }), attempts: 5 },
  'sync-edge': { schema: z.strictObject({ hostId: z.string() }), attempts: 3 },
  'answer-link-request': { schema: z.strictObject({ requestId: z.string() }), attempts: 5 },
  'send-mail': { schema: z.strictObject({ mailId: z.string() }), attempts: 8 },
  'look-at-git': { schema: z.strictObject({ appId: z.string() }), attempts: 3 },
  'answer-question': { schema: z.strictObject({ questionId: z.string() }), attempts: 1 },
  'collect-garbage': { schema: z.strictObject({ hostId: z.string() }), attempts: 1 },
  'collect-registry': { schema: z.strictObject({ hostId: z.string() }), attempts: 1 },
} as const satisfies Record<string, { schema: z.ZodType; attempts: number }>

export type JobName = keyof typeof jobs
export type JobData<Name extends JobName> = z.output<(typeof jobs)[Name]['schema']>

/** How the queue treats a job that threw. Failures that will not mend are BullMQ's UnrecoverableError. */
export function jobPolicy(name: JobName): JobsOptions {
  return {
    attempts: jobs[name].attempts,
    backoff: { type: 'exponential', delay: 1_000, jitter: 0.3 },
    // Both must go at once: as long as a job with an id is there, another with the same id is not taken in.
    removeOnComplete: true,
    removeOnFail: true,
  }
}

/** Name of the queue that the worker of a host serves. */
export function queueName(hostId: string): string {
  return `berth-host-${hostId}`
}

/** Key in Redis that is there once a job was queued: where it is gone, jobs are. */
export function queueMark(hostId: string): string {
  return `berth:queue:${hostId}:mark`
}

/** Jobs with one id merge: asking twice for the same thing is one job. */
export function jobId<Name extends JobName>(name: Name, data: JobData<Name>): string {
  return `${name}-${Object.values(data).join('-')}`
}

export interface Queues {
  forHost(hostId: string): Queue
  /** One that is no host's own. */
  named(name: string): Queue
  close(): Promise<void>
}

export function createQueues(redis: RedisAddress, log: Logger): Queues {
  const queues = new Map<string, Queue>()
  function named(name: string): Queue {
    const known = queues.get(name)
    if (known !== undefined) return known
    const queue = new Queue(name, { connection: { ...redis, maxRetriesPerRequest: 3 } })
    queue.on('error', (error) => log.warn({ err: error }, 'the queue does not answer'))
    queues.set(name, queue)
    return queue
  }
  return {
    named,
    forHost: (hostId) => named(queueName(hostId)),
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()))
      queues.clear()
    },
  }
}

const enqueueTimeoutMs = 3_000

/**
 * Asks the worker of a host to do something. Call it after the transaction that recorded the wish. Never throws when
 * the queue can't be reached: it answers false and says so in the log, and the worker's reconcile finds the wish.
 */
export async function enqueue<Name extends JobName>(
  platform: Platform,
  hostId: string,
  name: Name,
  data: JobData<Name>,
): Promise<boolean> {
  const checked = jobs[name].schema.parse(data)
  if (isAway(platform.redis)) {
    platform.log.error({ job: name, data }, 'a job is not queued: redis is away; reconcile will find it')
    return false
  }
  const timeout = AbortSignal.timeout(enqueueTimeoutMs)
  const timedOut = new Promise<never>((_, reject) => {
    timeout.addEventListener('abort', () => reject(new Error(`no answer within ${enqueueTimeoutMs} ms`)))
  })
  try {
    const added = platform.queues
      .forHost(hostId)
      .add(name, checked, { ...jobPolicy(name), jobId: jobId(name, data) })
    await Promise.race([Promise.all([added, platform.redis.set(queueMark(hostId), '1')]), timedOut])
    return true
  } catch (error) {
    platform.log.error({ err: error, job: name, data }, 'a job could not be queued; reconcile will find it')
    return false
  }
}
