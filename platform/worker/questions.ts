import { type Answer, answerKey, type Question, questionKey, questionSchema } from '../ask-host.ts'
import type { Platform } from '../open.ts'

const answerKeptMs = 10_000

/** Null when it was answered already, or nobody waits for the answer any more. */
export async function takeQuestion(platform: Platform, id: string): Promise<Question | null> {
  const text = await platform.redis.getdel(questionKey(id))
  return text === null ? null : questionSchema.parse(JSON.parse(text))
}

export async function answerQuestion(platform: Platform, id: string, answer: Answer): Promise<void> {
  const key = answerKey(id)
  await platform.redis
    .multi()
    .xadd(key, '*', 'answer', JSON.stringify(answer))
    .pexpire(key, answerKeptMs)
    .exec()
}
