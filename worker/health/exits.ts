import type { Container } from '../../engine/index.ts'
import { exitFailure } from '../failure.ts'
import type { Host } from '../host.ts'

export interface ExitWatch {
  /** The work's value, or a throw as soon as one of the containers exits, whichever comes first. */
  race<T>(work: Promise<T>): Promise<T>
}

/** Looks out for exits until the signal. `when` completes the sentence "The app exited with code 1 …". */
export function watchExits(
  host: Host,
  containers: Container[],
  when: string,
  signal: AbortSignal,
): ExitWatch {
  const exit = Promise.race(
    containers.map(({ id }) =>
      host.engine.containers.wait(id, { signal }).then((ended) => exitFailure(ended, when)),
    ),
  )
  // Nobody may be racing when the signal comes.
  exit.catch(() => undefined)
  return {
    async race(work) {
      work.catch(() => undefined)
      const failed = exit.then((failure) => {
        throw failure
      })
      return Promise.race([work, failed])
    },
  }
}
