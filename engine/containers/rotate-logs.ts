/**
 * Puts logs aside that have grown, and removes the oldest of what was put aside. No line is lost: the file gets another
 * name under the monitor's hands, which writes on into it until it is told to open a new one. conmon's own limit, which
 * throws away what is in the file, is for the time without an engine: far above ours, and `log.held` keeps the file.
 */
import { constants, existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from '../errors.ts'
import type { ContainerRow } from './container-rows.ts'
import type { LogLimits } from './containers.ts'
import type { Core } from './core.ts'
import { dropOldest, holdLog, isWritten, logSegments, mustHold, putAside, writtenLog } from './log-files.ts'
import { wholeLog } from './log-limits.ts'
import { hasProcess } from './status.ts'

const everyMs = 500
const toldBeforeMs = 1_000
const openWithinMs = 10_000

export interface LogRotation {
  close(): Promise<void>
}

export function startLogRotation(core: Core): LogRotation {
  const { rows, runs, lock, log } = core
  let busy = Promise.resolve()
  const timer = setInterval(() => {
    busy = busy.then(rotateAll)
  }, everyMs)
  timer.unref()

  async function rotateAll(): Promise<void> {
    for (const row of rows.all())
      await rotateIfDue(row).catch((error) =>
        log('warn', `the log of container ${row.id} cannot be put aside`, { error }),
      )
  }

  async function rotateIfDue({ id, status, spec }: ContainerRow): Promise<void> {
    const limits = wholeLog(spec.log)
    const folder = dirname(runs.logFile(id))
    if (!hasProcess(status) || !isDue(folder, limits)) return
    await lock(id, async () => {
      const row = core.isClosed() ? null : rows.find(id)
      if (row && hasProcess(row.status) && isDue(folder, limits))
        await rotate(folder, runs.controlPipe(id), limits)
    })
  }

  return {
    async close() {
      clearInterval(timer)
      await busy
    },
  }
}

/** Also when it was put aside and a killed engine did not come to tell the monitor, or the monitor was faster. */
function isDue(folder: string, { maxBytes }: Required<LogLimits>): boolean {
  const written = writtenLog(folder)
  if (written === null) return logSegments(folder).length > 0
  return written.sizeBytes >= maxBytes || !written.isHeld
}

async function rotate(folder: string, controlPipe: string, { maxBytes, files }: Required<LogLimits>) {
  const isNamed = () => existsSync(join(folder, 'log'))
  const last = logSegments(folder).at(-1)
  if (!last) return
  if (isWritten(last) && mustHold(folder)) holdLog(folder)
  if (isWritten(last) ? last.sizeBytes >= maxBytes : !(await waitFor(isNamed, toldBeforeMs))) {
    // The monitor may have been told by a killed engine this moment. Told twice, it would throw away what it wrote
    // between.
    putAside(folder)
    await openAnew(controlPipe)
    if (!(await waitFor(() => isNamed() || !existsSync(controlPipe), openWithinMs)))
      throw new EngineError('unavailable', `the monitor did not open a new log in ${openWithinMs} ms`)
  }
  if (isNamed()) holdLog(folder)
  dropOldest(folder, files)
}

async function waitFor(check: () => boolean, limitMs: number): Promise<boolean> {
  for (const until = Date.now() + limitMs; Date.now() < until; await sleep(2)) if (check()) return true
  return check()
}

/** Tells conmon to open its log anew: `2 0 0` on its control pipe. Source: conmon's ctrl.c. */
async function openAnew(controlPipe: string): Promise<void> {
  const pipe = await open(controlPipe, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => null)
  // Nobody listens: the container has ended this moment, and its next run opens the log by name.
  if (pipe === null) return
  try {
    await pipe.write('2 0 0\n')
  } finally {
    await pipe.close()
  }
}
