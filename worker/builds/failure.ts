/** What a build's end means for whoever deployed. */
import type { BuildFailure, BuildLimits } from '../../engine/index.ts'
import { DeployFailure } from '../failure.ts'

export function buildFailure(
  failure: BuildFailure,
  {
    limits,
    dockerfile,
    masked,
  }: { limits: BuildLimits; dockerfile: string | null; masked: (text: string) => string },
): DeployFailure {
  const reason = masked(failure.message).slice(0, 1_000)
  const end = { exitCode: failure.exitCode }
  const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`
  switch (failure.reason) {
    case 'failed':
      return new DeployFailure('build-failed', `The build failed: ${reason}`, { end, facts: { reason } })
    case 'dockerfile-missing': {
      const wanted = dockerfile ?? 'Dockerfile'
      return new DeployFailure(
        'dockerfile-missing',
        `The source has no ${wanted}. Add one, or say in the app's settings where it is. There is: ${reason}`,
        { facts: { wanted, found: reason === '' ? '–' : reason } },
      )
    }
    case 'not-understood':
      return new DeployFailure('build-not-understood', reason, { facts: { reason } })
    case 'source-invalid':
      return new DeployFailure('build-source-invalid', `The source can't be unpacked: ${reason}`, {
        facts: { reason },
      })
    case 'base-image':
      return new DeployFailure('build-base-image', `A base image can't be had: ${reason}`, {
        facts: { reason },
      })
    case 'out-of-memory':
      return new DeployFailure(
        'build-out-of-memory',
        `A step of the build used more than ${mebibytes(limits.memoryBytes)} of memory and was ended.`,
        { end: { ...end, oomKilled: true }, facts: { limitBytes: limits.memoryBytes } },
      )
    case 'timeout': {
      const seconds = Math.round(limits.timeMs / 1_000)
      return new DeployFailure('build-timeout', `The build was ended after ${seconds} s.`, {
        facts: { seconds },
      })
    }
    case 'disk-full':
      return new DeployFailure(
        'build-disk-full',
        `The build needed more disk than its ${mebibytes(limits.diskBytes)} for source, layers and cache.`,
        { end, facts: { limitBytes: limits.diskBytes } },
      )
    case 'too-many-processes':
      return new DeployFailure(
        'build-too-many-processes',
        `A step of the build wanted more than ${limits.pids} processes at once.`,
        { end, facts: { processes: limits.pids } },
      )
    case 'push-failed':
      return new DeployFailure('build-push-failed', `The registry did not take the image: ${reason}`, {
        facts: { reason },
      })
  }
}
