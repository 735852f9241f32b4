import { type ContainerDetails, type ExecProcess, isEngineError } from '../../engine/index.ts'
import type { TerminalWork } from '../../platform/worker/terminals.ts'
import type { Host } from '../host.ts'

/** The one that people like better first. */
const shells = [['bash'], ['sh']]

export interface Started {
  process: ExecProcess
  command: string[]
  container: ContainerDetails
}

/** What could not be started, for what it is known: there is no such program, or the container does not run. */
export interface NotStarted {
  reason: 'noProgram' | 'containerEnded'
  message: string
}

/** Runs the command that was asked for, or the first shell that is there. */
export async function startProgram(
  { engine }: Pick<Host, 'engine'>,
  work: TerminalWork,
  signal: AbortSignal,
): Promise<Started | NotStarted> {
  try {
    const container = await engine.containers.inspect(work.containerId)
    const spec = {
      input: true,
      ...(work.terminal === null ? {} : { terminal: work.terminal }),
      ...(work.user === undefined ? {} : { user: work.user }),
      // Without a locale, shells take what is not ASCII for bytes, and delete half a character.
      ...((await hasLocale(engine, container)) ? {} : { environment: { LANG: 'C.UTF-8' } }),
    }
    let message = 'The image has no shell.'
    for (const command of work.command === undefined ? shells : [work.command]) {
      try {
        const process = await engine.containers.exec(container.id, { command, ...spec }, { signal })
        return { process, command, container }
      } catch (error) {
        if (!isEngineError(error, 'invalid')) throw error
        if (work.command !== undefined || work.user !== undefined) message = error.message
      }
    }
    return { reason: 'noProgram', message }
  } catch (error) {
    if (!isEngineError(error, 'not-found') && !isEngineError(error, 'failed-precondition')) throw error
    return { reason: 'containerEnded', message: 'The container does not run.' }
  }
}

async function hasLocale(engine: Host['engine'], { image, spec }: ContainerDetails): Promise<boolean> {
  const ofImage = await engine.images.inspect(image).then(
    ({ config }) => Object.keys(config.environment),
    () => [],
  )
  return [...ofImage, ...spec.environmentNames].some((name) => name === 'LANG' || name === 'LC_ALL')
}
