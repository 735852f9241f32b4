/**
 * What can be asked of a container in which status. `created → running ⇄ paused`, both to `exited`, and from there to
 * `running` again. Pure; everything that decides by a status asks here.
 */
import { EngineError } from '../errors.ts'
import type { ContainerStatus } from './containers.ts'

/** Whether there is a process, and with it mounts, an interface and a control group. */
export function hasProcess(status: ContainerStatus): boolean {
  switch (status) {
    case 'running':
    case 'paused':
      return true
    case 'created':
    case 'exited':
      return false
  }
}

export const canStart = (status: ContainerStatus): boolean => !hasProcess(status)
export const canSignal = (status: ContainerStatus): boolean => hasProcess(status)
export const canPause = (status: ContainerStatus): boolean => status === 'running'
export const canResume = (status: ContainerStatus): boolean => status === 'paused'
/** A frozen process would not run what is put beside it. */
export const canExec = (status: ContainerStatus): boolean => status === 'running'
export const canRemove = (status: ContainerStatus): boolean => !hasProcess(status)
/** Whether a first end can still be waited for. */
export const hasEnded = (status: ContainerStatus): boolean => status === 'exited'

/** Throws failed-precondition with what can be done about it. */
export function mustBe(
  can: (status: ContainerStatus) => boolean,
  container: { id: string; status: ContainerStatus },
  doWhat: string,
  hint: string,
): void {
  if (!can(container.status))
    throw new EngineError(
      'failed-precondition',
      `cannot ${doWhat} container ${container.id}: it is ${container.status}; ${hint}`,
    )
}
