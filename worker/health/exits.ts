import type { Container } from '../../engine/index.ts'
import type { DeploymentWork } from '../../platform/worker/deployments.ts'
import { type DeployFailure, exitFailure } from '../failure.ts'
import type { Host } from '../host.ts'

export interface ExitWatch {
  /** Looks out for these too. */
  add(containers: Container[]): void
  /** The work's value, or a throw as soon as one of the containers exits, whichever comes first. */
  race<T>(work: Promise<T>): Promise<T>
}

/** Looks out for exits until the signal. `when` completes the sentence "The app exited with code 1 …". */
export function watchExits(host: Host, work: DeploymentWork, when: string, signal: AbortSignal): ExitWatch {
  const exit = Promise.withResolvers<DeployFailure>()
  // Nobody may be racing when the signal comes.
  exit.promise.catch(() => undefined)
  return {
    add(containers) {
      for (const { id } of containers)
        host.engine.containers
          .wait(id, { signal })
          .then((ended) => exit.resolve(exitFailure(ended, when, work)), exit.reject)
    },
    async race(work) {
      work.catch(() => undefined)
      const failed = exit.promise.then((failure) => {
        throw failure
      })
      return Promise.race([work, failed])
    },
  }
}
