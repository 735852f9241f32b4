import { setTimeout as sleep } from 'node:timers/promises'
import type { Container, ListeningOn } from '../../engine/index.ts'
import type { HealthCheck } from '../../platform/model/app-settings.ts'
import type { Facts } from '../../platform/model/facts.ts'
import { answersByPort, healthCheckOf, noPort, web } from '../../platform/model/processes.ts'
import type { DeploymentWork } from '../../platform/worker/deployments.ts'
import { slotOf } from '../container-spec.ts'
import { DeployFailure, processFact } from '../failure.ts'
import type { Host } from '../host.ts'
import { type ProbeResult, type ProbeTarget, probe } from './probe.ts'

export interface Checked {
  containerId: string
  /** What a failure says beside: which process it is, where that is not `web`. */
  about: Facts
  address: string
  /** Null: found by what the container listens on; noPort: it is asked by none. */
  port: number | null
  /** Tried first among those that it listens on. */
  likelyPort: number
  healthCheck: HealthCheck
  listeningPorts(on?: ListeningOn): Promise<number[]>
  /** Runs the health check's command in the container; answers with its exit code. Ends with the signal. */
  run(command: string[], signal: AbortSignal): Promise<number>
}

/** What is checked of a replica of a deployment. */
export function checkedOf(
  host: Host,
  work: DeploymentWork,
  container: Container,
  likelyPort: number,
): Checked {
  const { containers } = host.engine
  const { id, address } = container
  const { process } = slotOf(container)
  const port = process === web && answersByPort(work.settings) ? work.settings.port : noPort
  const healthCheck = healthCheckOf(work.settings, process)
  return {
    containerId: id,
    about: processFact(container),
    address,
    port,
    likelyPort,
    healthCheck,
    listeningPorts: (on) => containers.listeningPorts(id, on),
    async run(command, signal) {
      const { output, errors, exited } = await containers.exec(id, { command }, { signal })
      // What it says is of no use to anybody, but it may not wait for a reader.
      output.resume()
      errors?.resume()
      return exited
    },
  }
}

/**
 * Waits, through the start period, for the first good answer; answers with the port that gave it. Of what is asked by
 * no port the command is to be good, if there is one. Throws DeployFailure.
 */
export async function firstAnswer(checked: Checked, signal: AbortSignal): Promise<number> {
  if (checked.port === noPort) return firstSuccess(checked, signal)
  const { healthCheck } = checked
  const begun = Date.now()
  let last: { port: number; result: ProbeResult } | null = null
  for (;;) {
    const port = checked.port ?? choosePort(await checked.listeningPorts(), checked.likelyPort)
    if (port !== null) {
      const result = await probe(targetOf(checked, port), healthCheck.timeoutMs, signal)
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

/**
 * Of a process that listens on nothing: its command is good within the start period, if it has one, and then it is
 * observed. That it goes on running is for others to see. Answers with no port. Throws DeployFailure.
 */
export async function standFirm(checked: Checked, signal: AbortSignal): Promise<null> {
  await firstSuccess(checked, signal)
  await observe(checked, noPort, signal)
  return null
}

async function firstSuccess(checked: Checked, signal: AbortSignal): Promise<typeof noPort> {
  const { healthCheck, containerId } = checked
  const { startPeriodMs, timeoutMs, intervalMs } = healthCheck
  const end = Date.now() + startPeriodMs
  for (;;) {
    const result = await probe(targetOf(checked, noPort), timeoutMs, signal)
    if (result.ok) return noPort
    if (Date.now() >= end)
      throw new DeployFailure(
        'unhealthy',
        `The app did not pass its health check within ${startPeriodMs / 1_000} s: ${result.reason}.`,
        {
          containerId,
          facts: { ...checked.about, when: 'start', seconds: startPeriodMs / 1_000, ...result.facts },
        },
      )
    await sleep(intervalMs, undefined, { signal })
  }
}

/**
 * Asks on through the observation window, and until an answer is good: so many in a row may be bad as the health check
 * allows. Throws DeployFailure.
 */
export async function observe(checked: Checked, port: number, signal: AbortSignal): Promise<void> {
  const { healthCheck, containerId } = checked
  const { timeoutMs, intervalMs, observationMs, retries } = healthCheck
  const end = Date.now() + observationMs
  let bad = 0
  for (let left = observationMs; left > 0 || bad > 0; left = end - Date.now()) {
    await sleep(left > 0 ? Math.min(intervalMs, left) : intervalMs, undefined, { signal })
    const result = await probe(targetOf(checked, port), timeoutMs, signal)
    bad = result.ok ? 0 : bad + 1
    if (!result.ok && bad > retries) {
      throw new DeployFailure(
        'unhealthy',
        `The app answered its health check at first, and then not any more: ${result.reason}.`,
        { containerId, facts: { ...checked.about, when: 'later', ...result.facts } },
      )
    }
  }
}

/** What a probe is asked for. */
export function targetOf({ address, healthCheck, run }: Checked, port: number): ProbeTarget {
  const { path, expectedStatus, command } = healthCheck
  return {
    address,
    port: port === noPort ? null : port,
    path,
    expectedStatus,
    command: command === null ? null : (signal) => run(command, signal),
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
  const { port } = checked
  if (port !== null && listening.length > 0) {
    const elsewhere = listening.join(', ')
    return new DeployFailure(
      'wrong-port',
      `The app listens on port ${elsewhere}, not on port ${port}, which is set in its settings: nothing answered there within ${seconds} s. Set ${elsewhere} as the app's port, or make it listen where PORT says.`,
      { containerId, facts: { port, seconds, listening: elsewhere } },
    )
  }
  const inside = (await checked.listeningPorts('loopback').catch((): number[] => [])).join(', ')
  const instead =
    inside === ''
      ? 'Make it listen on 0.0.0.0 at the port that PORT says.'
      : `It listens on port ${inside} of 127.0.0.1 alone, which nobody but itself can reach: make it listen on 0.0.0.0.`
  const where = port === null ? 'any port' : `port ${port}`
  return new DeployFailure(
    'not-listening',
    `The app did not listen on ${where} within ${seconds} s. ${instead}`,
    { containerId, facts: { port: port ?? 'any', seconds, loopback: inside || 'none' } },
  )
}
