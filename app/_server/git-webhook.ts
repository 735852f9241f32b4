import { receiveWebhook } from '../../platform/git/webhooks/receive.ts'
import type { Platform } from '../../platform/open.ts'
import { ApiError, answerTo, problemResponse } from '../api/v1/_routes/problem.ts'

/** Forges leave out of larger pushes what does not fit. */
const maxBytes = 5 * 2 ** 20
const withinMs = 15_000

/** Answers a forge that tells of a push. */
export async function answerGitWebhook(
  platform: Platform,
  hookId: string,
  request: Request,
): Promise<Response> {
  const requestId = crypto.randomUUID()
  try {
    const body = await readBody(request)
    const received = await receiveWebhook(platform, hookId, request.headers, body)
    return Response.json(received, {
      status: received.result === 'accepted' ? 202 : 200,
      headers: { 'cache-control': 'no-store' },
    })
  } catch (error) {
    const answer = answerTo(error)
    if (answer.code === 'internal')
      platform.log.error({ err: error, requestId }, 'a webhook could not be answered')
    return problemResponse(answer, requestId)
  }
}

async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  if (request.body === null) return new Uint8Array()
  const late = AbortSignal.timeout(withinMs)
  const chunks: Uint8Array[] = []
  let bytes = 0
  const reader = request.body.getReader()
  const cancel = () => {
    reader.cancel().catch(() => undefined)
  }
  late.addEventListener('abort', cancel, { once: true })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (late.aborted)
        throw new ApiError('bad-request', `The body did not arrive within ${withinMs / 1_000} s.`)
      if (done) return new Uint8Array(Buffer.concat(chunks))
      bytes += value.length
      if (bytes > maxBytes)
        throw new ApiError('too-large', `The body is larger than ${maxBytes / 2 ** 20} MiB.`)
      chunks.push(value)
    }
  } finally {
    late.removeEventListener('abort', cancel)
    cancel()
  }
}
