import { Agent, request } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { BenchContext } from '../bench.ts'

export interface Asking {
  /** Of the edge, on the loopback. */
  port: number
  path: string
  headers: Record<string, string>
  clients: number
  seconds: number
}

/** How many milliseconds each answer took that so many clients had, who ask again as soon as they have one. */
export async function askTogether(
  { port, path, headers, clients, seconds }: Asking,
  { signal }: Pick<BenchContext, 'signal'>,
): Promise<number[]> {
  const took: number[] = []
  const end = performance.now() + seconds * 1_000
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    try {
      while (performance.now() < end) {
        signal.throwIfAborted()
        const begun = performance.now()
        await ask(agent, port, path, headers)
        took.push(performance.now() - begun)
      }
    } finally {
      agent.destroy()
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return took
}

/** Throws what is no 200 with its whole body. */
function ask(agent: Agent, port: number, path: string, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ agent, port, path, headers, host: '127.0.0.1', timeout: 30_000 }, (response) => {
      response.resume()
      response.on('error', reject)
      response.on('end', () =>
        response.statusCode === 200
          ? resolve()
          : reject(new Error(`${path} answered ${response.statusCode}`)),
      )
    })
    asked.on('timeout', () => asked.destroy(new Error(`${path} did not answer within 30 s`)))
    asked.on('error', reject)
    asked.end()
  })
}

/** What 95 of a hundred took at most. */
export function p95(samples: number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)] ?? Number.NaN
}
