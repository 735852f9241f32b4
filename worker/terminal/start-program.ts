import { setTimeout as sleep } from 'node:timers/promises'
import { type ContainerDetails, type ExecProcess, isEngineError } from '../../engine/index.ts'
import type { TerminalWork } from '../../platform/worker/terminals.ts'
import type { Host } from '../host.ts'

/** The one that people like better first. */
const shells = [['bash'], ['sh']]

/** Of the tools beside a container: enough to look, too little to hurt anybody. */
const toolsLimits = { memoryBytes: 128 * 2 ** 20, cpuMillis: 500, pids: 64, diskBytes: 64 * 2 ** 20 }
/** Says where the files are, or that they are not to be seen, and becomes a shell. */
const toolsShell = [
  'sh',
  '-c',
  // Not entered: a shell does not know the name of a folder that is outside its own root.
  `if ls /proc/1/root/ >/dev/null 2>&1; then
     echo "The container's files are at /proc/1/root."
   else
     echo "The kernel does not let this user look into /proc/1/root, the container's files."
   fi
   cd /tmp; exec sh`,
]

export interface Started {
  process: ExecProcess
  command: string[]
  container: ContainerDetails
  /** What was made for it goes, whatever became of the process. May be called twice. */
  cleanUp(): Promise<void>
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
  let cleanUp = async () => {}
  let isStarted = false
  try {
    let container = await engine.containers.inspect(work.containerId)
    // A run says that it begins just before its container does.
    while (work.runId !== undefined && container.status === 'created') {
      await sleep(50, undefined, { signal })
      container = await engine.containers.inspect(work.containerId)
    }
    if (work.debug) {
      const { id } = await engine.tools.beside(container.id, { limits: toolsLimits, signal })
      cleanUp = () => engine.containers.remove(id, { force: true })
      container = await engine.containers.inspect(id)
    }
    const spec = {
      input: true,
      ...(work.terminal === null ? {} : { terminal: work.terminal }),
      ...(work.user === undefined ? {} : { user: work.user }),
      // Without a locale, shells take what is not ASCII for bytes, and delete half a character.
      ...((await hasLocale(engine, container)) ? {} : { environment: { LANG: 'C.UTF-8' } }),
    }
    let message = 'The image has no shell.'
    const ofImage = work.debug ? [toolsShell] : shells
    for (const command of work.command === undefined ? ofImage : [work.command]) {
      try {
        const process = await engine.containers.exec(container.id, { command, ...spec }, { signal })
        isStarted = true
        return { process, command, container, cleanUp }
      } catch (error) {
        if (!isEngineError(error, 'invalid')) throw error
        if (work.command !== undefined || work.user !== undefined) message = error.message
      }
    }
    return { reason: 'noProgram', message }
  } catch (error) {
    if (work.debug && isEngineError(error, 'unsupported'))
      return { reason: 'noProgram', message: `${error.message}.` }
    if (!isEngineError(error, 'not-found') && !isEngineError(error, 'failed-precondition')) throw error
    return { reason: 'containerEnded', message: 'The container does not run.' }
  } finally {
    if (!isStarted) await cleanUp()
  }
}

async function hasLocale(engine: Host['engine'], { image, spec }: ContainerDetails): Promise<boolean> {
  const ofImage = await engine.images.inspect(image).then(
    ({ config }) => Object.keys(config.environment),
    () => [],
  )
  return [...ofImage, ...spec.environmentNames].some((name) => name === 'LANG' || name === 'LC_ALL')
}
