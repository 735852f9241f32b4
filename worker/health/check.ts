import { setTimeout as sleep } from 'node:timers/promises'
import type { HealthCheck } from '../../platform/model/app-settings.ts'
import { DeployFailure } from '../failure.ts'
import { type ProbeResult, probe } from './probe.ts'

export interface Checked {
  containerId: string
  address: string
  /** Null: found by what the container listens on. */
  port: number | null
  /** Tried first among those that it listens on. */
  likelyPort: number
  healthCheck: HealthCheck
  listeningPorts(): Promise<number[]>
}

/** Waits, through the start period, for the first good answer; answers with the port that gave it. Throws DeployFailure. */
export async function firstAnswer(checked: Checked, signal: AbortSignal): Promise<number> {
  const { healthCheck, address } = checked
  const begun = Date.now()
  let last: { port: number; result: ProbeResult } | null = null
  for (;;) {
    const port = checked.port ?? choosePort(await checked.listeningPorts(), checked.likelyPort)
    if (port !== null) {
      const result = await probe({ address, port, path: healthCheck.path }, healthCheck.timeoutMs, signal)
      if (result.ok) return port
      last = { port, result }
    }
    const waitedMs = Date.now() - begun
    if (waitedMs >= healthCheck.startPeriodMs) throw await silence(checked, last)
    // Most apps answer within a second: looking often at first is what makes their deployments quick.
    const pauseMs = waitedMs < 2_000 ? 25 : waitedMs < 10_000 ? 100 : 500
    await sleep(Math.min(pauseMs, healthCheck.startPeriodMs - waitedMs), undefined, { signal })
  }
}

/** Asks on through the observation window: every answer must be good. Throws DeployFailure. */
export async function observe(checked: Checked, port: number, signal: AbortSignal): Promise<void> {
  const { healthCheck, address, containerId } = checked
  const { path, timeoutMs, intervalMs, observationMs } = healthCheck
  const end = Date.now() + observationMs
  for (let left = observationMs; left > 0; left = end - Date.now()) {
    await sleep(Math.min(intervalMs, left), undefined, { signal })
    const result = await probe({ address, port, path }, timeoutMs, signal)
    if (!result.ok) {
      throw new DeployFailure(
        'unhealthy',
        `The app answered its health check at first, and then not any more: ${result.reason}.`,
        { containerId, facts: { when: 'later', ...result.facts } },
      )
    }
  }
}

export function choosePort(listening: number[], likely: number): number | null {
  return listening.includes(likely) ? likely : (listening[0] ?? null)
}

async function silence(
  checked: Checked,
  last: { port: number; result: ProbeResult } | null,
): Promise<DeployFailure> {
  const { healthCheck, containerId } = checked
  const seconds = Math.round(healthCheck.startPeriodMs / 100) / 10
  const listening = await checked.listeningPorts().catch((): number[] => [])
  if (last !== null && !last.result.ok && listening.includes(last.port)) {
    return new DeployFailure(
      'unhealthy',
      `The app listens on port ${last.port} but did not pass its health check within ${seconds} s: ${last.result.reason}.`,
      { containerId, facts: { when: 'first', port: last.port, seconds, ...last.result.facts } },
    )
  }
  const instead =
    listening.length > 0
      ? `It listens on ${listening.join(', ')}: set that as the app's port, or make it listen where PORT says.`
      : 'Make it listen on 0.0.0.0 (not on 127.0.0.1 alone) at the port that PORT says.'
  const where = checked.port === null ? 'any port' : `port ${checked.port}`
  return new DeployFailure(
    'not-listening',
    `The app did not listen on ${where} within ${seconds} s. ${instead}`,
    {
      containerId,
      facts: { port: checked.port ?? 'any', seconds, listening: listening.join(', ') || 'none' },
    },
  )
}
