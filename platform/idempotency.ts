import type { Viewer } from './access.ts'
import { PlatformError } from './errors.ts'
import type { Platform } from './open.ts'
import { sha256 } from './secrets.ts'

/** What was answered, as it can be answered again. */
export interface Outcome {
  status: number
  body: string
  location: string | null
}

const keepSeconds = 86_400
/** Longer than any request takes; shorter than the patience of whoever tries again after a crash. */
const runningSeconds = 60

/**
 * Runs what a caller marks with the same key once within a day; later calls get the first outcome. Only outcomes that
 * `run` gives as `keep` are kept: a refusal may be tried again. Throws `conflict` while the first still runs, and
 * `invalid` for a key that was used for another request.
 */
export async function once(
  platform: Platform,
  viewer: Viewer,
  request: { key: string; method: string; path: string; body: string },
  run: () => Promise<{ outcome: Outcome; keep: boolean }>,
): Promise<{ outcome: Outcome; repeated: boolean }> {
  if (!/^[\x21-\x7e]{1,200}$/.test(request.key)) {
    throw new PlatformError(
      'bad-request',
      'Idempotency-Key: must be 1–200 printable characters without spaces.',
    )
  }
  const name = `berth:once:${sha256(`${whoIs(viewer)} ${request.key}`)}`
  const fingerprint = sha256(JSON.stringify([request.method, request.path, request.body]))
  const begun = JSON.stringify({ fingerprint, outcome: null })
  if ((await platform.redis.set(name, begun, 'EX', runningSeconds, 'NX')) === null) {
    return { outcome: earlier(await platform.redis.get(name), fingerprint), repeated: true }
  }
  try {
    const { outcome, keep } = await run()
    if (keep) await platform.redis.set(name, JSON.stringify({ fingerprint, outcome }), 'EX', keepSeconds)
    else await platform.redis.del(name)
    return { outcome, repeated: false }
  } catch (error) {
    await platform.redis.del(name)
    throw error
  }
}

function earlier(text: string | null, fingerprint: string): Outcome {
  const stored = text === null ? null : (JSON.parse(text) as { fingerprint: string; outcome: Outcome | null })
  if (stored !== null && stored.fingerprint !== fingerprint) {
    throw new PlatformError('invalid', 'This Idempotency-Key was used for another request.')
  }
  if (stored === null || stored.outcome === null) {
    throw new PlatformError('conflict', 'The first request with this Idempotency-Key is still running.')
  }
  return stored.outcome
}

function whoIs(viewer: Viewer): string {
  switch (viewer.kind) {
    case 'user':
      return `user:${viewer.userId}`
    case 'token':
      return `token:${viewer.tokenId}`
    default:
      return viewer.kind
  }
}
