import type { Container, Image } from '../engine/index.ts'
import type { DeploymentWork } from '../platform/worker/deployments.ts'
import { releaseSpec } from './container-spec.ts'
import { find } from './containers.ts'
import { DeployFailure, endOf, memoryFacts, memoryWords, messageOf } from './failure.ts'
import type { Host } from './host.ts'

/**
 * Runs a deployment's release command to its end, once: a worker that finds it begun by another waits for it, or
 * takes the end that it had. Its container stays until the deployment is over, so that this is known. Throws
 * DeployFailure when it ends with anything but 0, or not in time.
 */
export async function runRelease(
  host: Host,
  work: DeploymentWork,
  image: Image,
  signal: AbortSignal,
): Promise<void> {
  const { command, timeoutMs } = work.settings.release
  if (command === null) return
  const container = await begin(host, work, image, command, signal)
  const begunAt = Date.parse(container.startedAt ?? container.createdAt)
  const inTime = AbortSignal.timeout(Math.max(1, begunAt + timeoutMs - Date.now()))
  try {
    const ended = await host.engine.containers.wait(container.id, {
      signal: AbortSignal.any([signal, inTime]),
    })
    if (ended.exitCode !== 0 || ended.oomKilled) throw releaseFailure(ended, work)
  } catch (error) {
    signal.throwIfAborted()
    if (!inTime.aborted) throw error
    await host.engine.containers.stop(container.id, { graceMs: work.settings.stopGraceMs, signal })
    const seconds = Math.round(timeoutMs / 1_000)
    throw new DeployFailure(
      'release-failed',
      `The release command did not end within ${seconds} s and was stopped.`,
      {
        containerId: container.id,
        facts: { how: 'timeout', seconds },
      },
    )
  }
}

async function begin(
  host: Host,
  work: DeploymentWork,
  image: Image,
  command: string[],
  signal: AbortSignal,
): Promise<Container> {
  const { containers } = host.engine
  const spec = releaseSpec(work, image, command)
  const present = await find(host, spec.id)
  const made = present ?? (await containers.create(spec, { signal }))
  host.logs.follow(made)
  if (made.status !== 'created') return made
  try {
    return await containers.start(spec.id, { signal })
  } catch (cause) {
    signal.throwIfAborted()
    const reason = messageOf(cause)
    throw new DeployFailure('release-failed', `The release command could not be started: ${reason}`, {
      cause,
      containerId: spec.id,
      facts: { how: 'start', reason },
    })
  }
}

function releaseFailure(container: Container, work: DeploymentWork): DeployFailure {
  const { end, how, facts } = endOf(container)
  const sentence = end.oomKilled ? `${memoryWords(container, work)} and was killed` : how
  return new DeployFailure(
    'release-failed',
    `The release command ${sentence}, so nothing was started. Its last lines of log may say why.`,
    {
      containerId: container.id,
      end,
      facts: end.oomKilled ? { how: 'memory', ...memoryFacts(container, work) } : facts,
    },
  )
}
