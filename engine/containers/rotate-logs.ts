/**
 * Puts logs aside that have grown, and removes the oldest of what was put aside. No line is lost: the file gets another
 * name under the monitor's hands, which writes on into it until it is told to open a new one. conmon's own limit would
 * throw away what is in the file.
 */
import { constants, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from '../errors.ts'
import type { LogLimits } from './containers.ts'
import type { Core } from './core.ts'
import { asideName, logSegments } from './log-files.ts'
import { hasProcess } from './status.ts'

const everyMs = 500
const toldBeforeMs = 1_000
const openWithinMs = 10_000
export const defaultLog: Required<LogLimits> = { maxBytes: 10 * 2 ** 20, files: 5 }

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
    for (const { id, status, spec } of rows.all()) {
      const limits = { ...defaultLog, ...spec.log }
      const folder = dirname(runs.logFile(id))
      if (!hasProcess(status) || !isDue(folder, limits)) continue
      await lock(id, async () => {
        const row = core.isClosed() ? null : rows.find(id)
        if (row && hasProcess(row.status) && isDue(folder, limits))
          await rotate(folder, runs.controlPipe(id), limits.files)
      }).catch((error) => log('warn', `the log of container ${id} cannot be put aside`, { error }))
    }
  }

  return {
    async close() {
      clearInterval(timer)
      await busy
    },
  }
}

/** Also when it was put aside and a killed engine did not come to tell the monitor. */
function isDue(folder: string, { maxBytes }: Required<LogLimits>): boolean {
  const last = existsSync(folder) ? logSegments(folder).at(-1) : undefined
  return last !== undefined && (!last.path.endsWith('/log') || last.sizeBytes >= maxBytes)
}

async function rotate(folder: string, controlPipe: string, files: number): Promise<void> {
  const last = logSegments(folder).at(-1)
  if (!last) return
  const isNamed = () => existsSync(join(folder, 'log'))
  // The monitor may have been told by a killed engine this moment. Told twice, it would throw away what it wrote
  // between.
  if (last.path.endsWith('/log')) await rename(last.path, join(folder, asideName(last.start)))
  else if (await waitFor(isNamed, toldBeforeMs)) return
  await openAnew(controlPipe)
  if (!(await waitFor(() => isNamed() || !existsSync(controlPipe), openWithinMs)))
    throw new EngineError('unavailable', `the monitor did not open a new log in ${openWithinMs} ms`)
  const aside = logSegments(folder).filter(({ path }) => !path.endsWith('/log'))
  for (const { path } of aside.slice(0, Math.max(0, aside.length - (files - 1))))
    await rm(path, { force: true })
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
