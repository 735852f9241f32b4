import { z } from 'zod'
import { PlatformError } from './errors.ts'
import { stateOf } from './host-admin.ts'
import { enqueue } from './jobs.ts'
import { newId } from './model/ids.ts'
import { logCountSchema, logSearchSchema } from './model/log-search.ts'
import { hostPortSchema } from './model/ports.ts'
import type { Platform } from './open.ts'

/** What only a host knows, because it is kept there. */
export const questionSchema = z.discriminatedUnion('about', [
  z.object({ about: z.literal('log-lines'), appId: z.string(), search: logSearchSchema }),
  z.object({ about: z.literal('volume-least-size'), volumeId: z.string() }),
  z.object({ about: z.literal('taken-ports'), ports: z.array(hostPortSchema).max(100) }),
  z.object({ about: z.literal('log-counts'), appId: z.string(), count: logCountSchema }),
])

/** `refused` has a sentence for whoever asked. */
export const answerSchema = z.union([z.object({ value: z.unknown() }), z.object({ refused: z.string() })])

export type Question = z.infer<typeof questionSchema>
export type Answer = z.infer<typeof answerSchema>

export const questionKey = (id: string) => `berth:question:${id}`
export const answerKey = (id: string) => `berth:answer:${id}`

const usualLimitMs = 8_000

/**
 * Asks the worker of a host and waits for its answer. Throws `unavailable` when the host is away or does not answer in
 * time, `conflict` with the worker's sentence when it can't answer that.
 */
export async function askHost(
  platform: Platform,
  hostId: string,
  question: Question,
  options: { limitMs?: number; signal?: AbortSignal } = {},
): Promise<unknown> {
  const host = await platform.db.host.findUnique({ where: { id: hostId }, select: { lastSeenAt: true } })
  if (host === null || stateOf(host.lastSeenAt) !== 'online') throw noAnswer()
  const id = newId('request')
  const limitMs = options.limitMs ?? usualLimitMs
  const limit = AbortSignal.timeout(limitMs)
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal])
  try {
    // Nobody answers what nobody waits for any more.
    await platform.redis.set(questionKey(id), JSON.stringify(question), 'PX', limitMs)
    if (!(await enqueue(platform, hostId, 'answer-question', { questionId: id }))) throw noAnswer()
    await platform.reader.waitFor(answerKey(id), '0-0', signal)
    const [entry] = await platform.redis.xrange(answerKey(id), '-', '+', 'COUNT', 1)
    if (entry === undefined) throw noAnswer()
    const answer = answerSchema.parse(JSON.parse(entry[1][1] ?? 'null'))
    if ('refused' in answer) throw new PlatformError('conflict', answer.refused)
    return answer.value
  } finally {
    await platform.redis.del(questionKey(id), answerKey(id)).catch(() => undefined)
  }
}

function noAnswer(): PlatformError {
  return new PlatformError(
    'unavailable',
    'The host that keeps this does not answer at the moment. Nothing is lost; try again in a while.',
  )
}
