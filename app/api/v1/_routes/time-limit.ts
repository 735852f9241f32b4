import { createMiddleware } from 'hono/factory'
import { PlatformError } from '../../../../platform/errors.ts'
import type { ApiEnv } from './router.ts'

const limitMs = 15_000

/** They last as long as something comes: platform/builds/uploads.ts, platform/files.ts. */
const uploads = [/^POST \/apps\/[^/]+\/builds$/, /^PUT \/(apps|volumes)\/[^/]+\/files\/content$/]

/**
 * Nobody waits for an answer for ever, whatever hangs behind it: 503 after 15 s. What was begun may still be done, so
 * the sentence does not say that it was not. A stream of events has begun by then.
 */
export const timeLimit = createMiddleware<ApiEnv>(async (c, next) => {
  if (uploads.some((upload) => upload.test(`${c.req.method} ${c.req.path}`))) return next()
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(
      new PlatformError('unavailable', `This took longer than ${limitMs / 1_000} s. Look again in a moment.`),
    )
  }, limitMs)
  try {
    await Promise.race([next(), promise])
  } finally {
    clearTimeout(timer)
  }
})
