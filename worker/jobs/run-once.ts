import { setTimeout as sleep } from 'node:timers/promises'
import { type Container, isEngineError } from '../../engine/index.ts'
import type { JobData } from '../../platform/jobs.ts'
import type { RunLogLine } from '../../platform/model/runs.ts'
import { takeRunTerminal } from '../../platform/run-terminal.ts'
import { runContainerId } from '../../platform/runs.ts'
import {
  finishRun,
  isRunCancelAsked,
  loadRun,
  type RunEnd,
  type RunWork,
  startRun,
} from '../../platform/worker/runs.ts'
import { runSpec } from '../container-spec.ts'
import { find, removeContainer } from '../containers.ts'
import { CalledOff, DeployFailure, endOf, messageOf } from '../failure.ts'
import type { Host } from '../host.ts'
import { ensureImage } from '../images.ts'
import type { JobRun } from '../run-job.ts'

const maxAttempts = 4

/**
 * Runs a command once to its end, in a container of its own, from wherever an earlier worker left it: a command that
 * was begun is never begun again. Only a worker that stops leaves it as it is; the command runs on meanwhile.
 */
export async function runOnce(
  host: Host,
  { runId }: JobData<'run-once'>,
  { stopping, countAttempt }: JobRun,
): Promise<void> {
  const work = await loadRun(host.platform, runId)
  if (work === null) return
  // Somebody sits before a terminal: his run waits for none, and none waits for it.
  const inSlot: Host['runSlots'] = work.run.isAttached ? (carry) => carry() : host.runSlots
  await inSlot(async () => {
    const attempt = countAttempt()
    const over = new AbortController()
    const signal = AbortSignal.any([stopping, over.signal])
    const watching = abortWhenCalledOff(host, runId, over)
    try {
      await finish(host, work, await carryOut(host, work, signal))
    } catch (error) {
      stopping.throwIfAborted()
      if (over.signal.aborted || error instanceof CalledOff)
        return await finish(host, work, { status: 'canceled' })
      // Such as a database that restarts: what was begun is found again by the next attempt.
      const isKnown = error instanceof DeployFailure || isEngineError(error)
      if (!isKnown && attempt < maxAttempts) throw error
      const reason = error instanceof DeployFailure ? 'image' : 'internal'
      await finish(host, work, { status: 'failed', reason, message: messageOf(error) })
    } finally {
      over.abort(new CalledOff())
      await watching
    }
  })
}

type End = Omit<RunEnd, 'log'>

/** Runs with a terminal that this process began. What another one left has no terminal any more. */
const attachedHere = new Set<string>()

async function carryOut(host: Host, work: RunWork, signal: AbortSignal): Promise<End> {
  const { containers } = host.engine
  const { run, deployment } = work
  if (await isRunCancelAsked(host.platform, run.id)) throw new CalledOff()
  const present = await find(host, runContainerId(run.id))
  if (present === null && run.status === 'running') return interrupted
  if (run.isAttached && run.status === 'running' && !attachedHere.has(run.id)) return cutOff
  let container = present
  if (container === null) {
    const image = await ensureImage(host, deployment, { isTrusted: true, signal })
    container = await containers.create(runSpec(work, image), { signal })
  }
  host.logs.follow(container)
  if (container.status === 'created') {
    if (run.isAttached) attachedHere.add(run.id)
    if (!(await startRun(host.platform, run.id, new Date()))) throw new CalledOff()
    try {
      container = await containers.start(container.id, { signal })
    } catch (error) {
      signal.throwIfAborted()
      return {
        status: 'failed',
        reason: 'start-failed',
        message: `The command could not be started: ${messageOf(error)}`,
      }
    }
  }
  const begunAt = Date.parse(container.startedAt ?? container.createdAt)
  const inTime = AbortSignal.timeout(Math.max(1, begunAt + run.timeoutMs - Date.now()))
  const alone = new AbortController()
  const waiting = run.isAttached ? setTimeout(giveUp, openWithinMs) : undefined
  async function giveUp(): Promise<void> {
    const isFree = await takeRunTerminal(host.platform, run.id).catch(() => false)
    if (isFree) alone.abort()
  }
  try {
    const last = await containers.wait(container.id, {
      signal: AbortSignal.any([signal, inTime, alone.signal]),
    })
    // Stopped for that by a worker that was killed before it could say so.
    const tookMs = Date.parse(last.finishedAt ?? '') - begunAt
    if (!(tookMs >= run.timeoutMs)) return ended(last)
  } catch (error) {
    signal.throwIfAborted()
    if (alone.signal.aborted) return nobodyCame
    if (!inTime.aborted) throw error
  } finally {
    clearTimeout(waiting)
  }
  const seconds = Math.round(run.timeoutMs / 1_000)
  return {
    status: 'failed',
    reason: 'timeout',
    message: `It did not end within ${seconds} s and was stopped.`,
  }
}

const interrupted: End = {
  status: 'failed',
  reason: 'interrupted',
  message: 'The host lost its container, for example when it was restarted. How far it came is not known.',
}

/** Whoever asks for a run with a terminal opens it as soon as it runs. */
const openWithinMs = 30_000

const nobodyCame: End = {
  status: 'canceled',
  message: `Nobody opened its terminal within ${openWithinMs / 1_000} s.`,
}

const cutOff: End = {
  ...interrupted,
  message: 'Berth was started anew on the host, which ended its terminal. How far it came is not known.',
}

function ended(container: Container): End {
  const { end, how } = endOf(container)
  const { exitCode, signal } = end
  if (end.oomKilled)
    return {
      ...{ status: 'failed', reason: 'out-of-memory', exitCode, signal },
      message: "It used more memory than the app's limit and was killed.",
    }
  if (exitCode === 0) return { status: 'succeeded', exitCode }
  if (exitCode === null) return interrupted
  return {
    status: 'failed',
    reason: signal === null ? 'exited' : 'signal',
    exitCode,
    signal,
    message: `It ${how}.`,
  }
}

const keptLines = 500
const keptCharacters = 200_000

async function finish(host: Host, work: RunWork, end: End): Promise<void> {
  const id = runContainerId(work.run.id)
  const { stopGraceMs } = work.deployment.settings
  // What it writes while it is being stopped belongs to it.
  await host.engine.containers.stop(id, { graceMs: stopGraceMs }).catch((error) => {
    if (!isEngineError(error, 'not-found') && !isEngineError(error, 'failed-precondition')) throw error
  })
  await finishRun(host.platform, work.run.id, { ...end, log: await lastOf(host, id) })
  await removeContainer(host, id, 0)
  attachedHere.delete(work.run.id)
}

async function lastOf(host: Host, containerId: string): Promise<RunLogLine[]> {
  const lines: RunLogLine[] = []
  try {
    for await (const { time, stream, text } of host.engine.containers.logs(containerId, { tail: keptLines }))
      lines.push({ time, stream, text: text.slice(0, 4_000) })
  } catch (error) {
    if (!isEngineError(error, 'not-found'))
      host.log.warn({ err: error, container: containerId }, 'the log of a run could not be read')
  }
  let room = keptCharacters
  const from = lines.findLastIndex(({ text }) => {
    room -= text.length
    return room < 0
  })
  return lines.slice(from + 1)
}

const cancelLookMs = 500

async function abortWhenCalledOff(host: Host, id: string, over: AbortController): Promise<void> {
  while (!over.signal.aborted) {
    const isAsked = await isRunCancelAsked(host.platform, id).catch(() => false)
    if (isAsked) over.abort(new CalledOff())
    await sleep(cancelLookMs, undefined, { signal: over.signal }).catch(() => undefined)
  }
}
