import type { Config } from '../config.ts'
import type { DrainKind, DrainTarget } from '../model/log-drains.ts'
import type { StoredLine } from '../model/log-search.ts'
import { askOutside, sendOutside } from '../outgoing.ts'
import { OutgoingError } from '../outgoing-agent.ts'
import { retryAfterMs } from '../retry-after.ts'
import { type DrainedApp, httpBody, lokiBody, syslogMessages } from './formats.ts'

/** The receiver did not take lines: `message` says why, in its words where it had any. */
export class DrainError extends Error {
  override readonly name = 'DrainError'
  /** How long it wants to be left alone; null: it does not say. */
  readonly retryAfterMs: number | null
  /** It would take fewer at once. */
  readonly isTooMuch: boolean

  constructor(
    message: string,
    options: { retryAfterMs?: number | null; isTooMuch?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.retryAfterMs = options.retryAfterMs ?? null
    this.isTooMuch = options.isTooMuch ?? false
  }
}

const timeoutMs = 15_000
const longestAnswer = 300

/** Resolves once the receiver has the lines. Throws DrainError, and what `signal` was aborted with. */
export async function sendLines(
  config: Pick<Config, 'proxy' | 'privateHosts'>,
  { kind, target }: { kind: DrainKind; target: DrainTarget },
  app: DrainedApp,
  lines: readonly StoredLine[],
  signal?: AbortSignal,
): Promise<void> {
  try {
    if (kind === 'syslog')
      await sendOutside(config, target.url, syslogMessages(app, lines), options(target, signal))
    else await post(config, target, kind === 'loki' ? lokiBody(app, lines) : httpBody(app, lines), signal)
  } catch (cause) {
    if (!(cause instanceof OutgoingError)) throw cause
    throw new DrainError(`${new URL(target.url).host} ${cause.message}.`, { cause })
  }
}

async function post(
  config: Pick<Config, 'proxy' | 'privateHosts'>,
  target: DrainTarget,
  body: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const headers = { ...target.headers, 'content-type': 'application/json' }
  const answer = await askOutside(config, target.url, {
    method: 'POST',
    headers,
    body,
    ...options(target, signal),
  })
  if (answer.status >= 200 && answer.status < 300) return
  const words = answer.text.replace(/\s+/g, ' ').trim().slice(0, longestAnswer)
  const message = `${new URL(target.url).host} answered ${answer.status}${words === '' ? '' : `: ${words}`}`
  throw new DrainError(message, {
    retryAfterMs: retryAfterMs(answer.headers),
    isTooMuch: answer.status === 413,
  })
}

function options({ ca }: DrainTarget, signal: AbortSignal | undefined) {
  return { timeoutMs, ...(ca === '' ? {} : { ca }), ...(signal === undefined ? {} : { signal }) }
}
