import { request } from 'node:http'
import { connect } from 'node:net'
import type { Facts } from '../../platform/model/facts.ts'

export interface ProbeTarget {
  address: string
  /** Null: it listens on none, and the command alone is asked. */
  port: number | null
  /** Path that must answer; null: it is enough that the port accepts a connection. */
  path: string | null
  /** What the path must answer; null: anything from 200 to 399. */
  expectedStatus: number | null
  /** What must succeed first; null: nothing. Answers with its exit code, and ends with the signal. */
  command: ((signal: AbortSignal) => Promise<number>) | null
}

/** Why not: in English, and as what other languages make a sentence from. */
export type ProbeResult = { ok: true } | { ok: false; reason: string; facts: Facts }

/** Asks once, over a connection of its own. Never throws, but when the signal aborts. */
export async function probe(
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  try {
    const exitCode = target.command === null ? 0 : await target.command(limit)
    limit.throwIfAborted()
    if (exitCode !== 0)
      return {
        ok: false,
        reason: `the command exited with ${exitCode}`,
        facts: { probe: 'command', exitCode },
      }
    const { address, port, path } = target
    if (port === null) return { ok: true }
    return path === null
      ? await accepts({ address, port }, limit)
      : await answers({ ...target, port }, path, limit)
  } catch (error) {
    signal.throwIfAborted()
    return limit.aborted
      ? {
          ok: false,
          reason: `no answer within ${timeoutMs} ms`,
          facts: { probe: 'timeout', timeoutMs },
        }
      : { ok: false, ...problemOf(error) }
  }
}

type Listening = ProbeTarget & { port: number }

async function accepts(
  { address, port }: Pick<Listening, 'address' | 'port'>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProbeResult>()
  const socket = connect({ host: address, port, signal })
  socket.once('connect', () => resolve({ ok: true }))
  socket.once('error', reject)
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

async function answers(
  { address, port, expectedStatus }: Listening,
  path: string,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProbeResult>()
  const headers = { 'user-agent': 'berth-health-check', accept: '*/*' }
  const asked = request({ host: address, port, path, headers, agent: false, signal }, (response) => {
    const status = response.statusCode ?? 0
    const isExpected = expectedStatus === null ? status >= 200 && status < 400 : status === expectedStatus
    const wanted = expectedStatus === null ? '' : `, not ${expectedStatus}`
    resolve(
      isExpected
        ? { ok: true }
        : {
            ok: false,
            reason: `${path} answered ${status}${wanted}`,
            facts: { probe: 'status', path, status, expected: expectedStatus ?? 0 },
          },
    )
    // The status is all that matters; the body may be endless.
    response.destroy()
  })
  asked.on('error', reject)
  asked.end()
  try {
    return await promise
  } finally {
    asked.destroy()
  }
}

function problemOf(error: unknown): { reason: string; facts: Facts } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null
  switch (code) {
    case 'ECONNREFUSED':
      return { reason: 'nothing accepts connections', facts: { probe: 'refused' } }
    case 'ECONNRESET':
      return { reason: 'the connection was cut off', facts: { probe: 'reset' } }
    default: {
      const reason = error instanceof Error ? error.message : String(error)
      return { reason, facts: { probe: 'other', reason } }
    }
  }
}
