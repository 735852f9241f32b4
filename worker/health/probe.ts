import { request } from 'node:http'
import { connect } from 'node:net'

export interface ProbeTarget {
  address: string
  port: number
  /** Path that must answer 200–399; null: it is enough that the port accepts a connection. */
  path: string | null
}

export type ProbeResult = { ok: true } | { ok: false; reason: string }

/** Asks once, over a connection of its own. Never throws, but when the signal aborts. */
export async function probe(
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  try {
    return target.path === null ? await accepts(target, limit) : await answers(target, target.path, limit)
  } catch (error) {
    signal.throwIfAborted()
    return { ok: false, reason: limit.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error) }
  }
}

async function accepts({ address, port }: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
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
  { address, port }: ProbeTarget,
  path: string,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProbeResult>()
  const headers = { 'user-agent': 'berth-health-check', accept: '*/*' }
  const asked = request({ host: address, port, path, headers, agent: false, signal }, (response) => {
    const status = response.statusCode ?? 0
    resolve(
      status >= 200 && status < 400 ? { ok: true } : { ok: false, reason: `${path} answered ${status}` },
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

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing accepts connections'
    case 'ECONNRESET':
      return 'the connection was cut off'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}
