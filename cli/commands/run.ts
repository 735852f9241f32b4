/** `berth run`: a command once, in a container of its own beside what an app serves. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogLine } from '../../platform/model/events.ts'
import { type CreateRunInput, isRunOver, type Run, type RunDetail } from '../../platform/model/runs.ts'
import type { OpenTerminalInput, TerminalTicket } from '../../platform/model/terminal.ts'
import { ApiError } from '../api.ts'
import { numberOf, openApp } from '../app/open.ts'
import type { Client, LoginOptions } from '../client.ts'
import { harmless } from '../deploy/follow.ts'
import { CommandError, say } from '../say.ts'
import { mustBeTerminal, noProgram, notRun, terminalSize, throughTerminal } from '../terminal.ts'

export interface RunCommandOptions extends LoginOptions {
  detach?: boolean
  interactive?: boolean
  tty?: boolean
  limit?: string
}

/** As timeout(1) has it. */
const tooLate = 124
/** As a shell has it of what was ended by Ctrl-C. */
const interrupted = 130
const lookEveryMs = 400
const lastLinesWithinMs = 10_000

/**
 * Shows what it writes and ends with its exit code. With -i or -t it is by a terminal of its own, and without a command a
 * shell; with -d nobody waits for it.
 */
export async function run(name: string, given: string[], options: RunCommandOptions): Promise<void> {
  const argv = given[0] === '--' ? given.slice(1) : given
  const isShell = argv.length === 0
  const tty = options.tty === true || isShell
  const interactive = options.interactive === true || isShell
  const isAttached = tty || interactive
  if (options.detach && isAttached)
    throw new CommandError(
      isShell
        ? 'Say which command to run, behind --.'
        : 'Leave -i and -t away with -d: nobody would be there.',
      { exitCode: notRun },
    )
  if (tty && interactive) mustBeTerminal(isShell)
  const input = runOf(isShell ? ['sh'] : argv, { ...options, isAttached })
  const { client, app, path } = await openApp(name, options)
  const asked = await orNotRun(client.post<Run>(`/apps/${app.id}/runs`, input))
  if (options.detach) return say(`Run ${asked.number} of ${path} is queued: ${asked.id}`)
  process.exitCode = isAttached
    ? await attached(client, asked, { tty, interactive })
    : await followed(client, asked)
}

/** What the API is asked for. */
export function runOf(
  command: string[],
  { limit, isAttached }: { limit?: string; isAttached: boolean },
): CreateRunInput {
  return {
    ...{ command, isAttached },
    ...(limit === undefined ? {} : { timeoutMs: Math.round(numberOf('limit', limit) * 1_000) }),
  }
}

async function attached(
  client: Client,
  { id, appId }: Run,
  how: { tty: boolean; interactive: boolean },
): Promise<number> {
  const leave = cancelAtInterrupt(client, id)
  try {
    await orNotRun(until(client, id, ({ status }) => status !== 'queued'))
    const asked: OpenTerminalInput = { run: id, terminal: how.tty ? terminalSize() : null }
    const ticket = await orNotRun(client.post<TerminalTicket>(`/apps/${appId}/terminals`, asked))
    return await throughTerminal(client.url, ticket, how)
  } catch (error) {
    // What ended it is known better where it ran. What nobody is attached to any more is of use to nobody.
    await cancel(client, id)
    const end = await until(client, id, ({ status }) => isRunOver(status), { failures: 2 }).catch(() => null)
    const isMissing = error instanceof CommandError && error.exitCode === noProgram
    if (end?.status === 'failed' && !isMissing) return exitCodeOf(end)
    throw error
  } finally {
    leave()
  }
}

/** Its lines as they are kept, so that none is lost with the connection. */
async function followed(client: Client, asked: Run): Promise<number> {
  const leave = cancelAtInterrupt(client, asked.id)
  const log = `/apps/${asked.appId}/logs?container=${asked.id.replace('_', '-')}&limit=1000`
  let last = 0
  let lastTime = ''
  const show = async () => {
    for (;;) {
      const { data } = await client.get<{ data: LogLine[] }>(`${log}&after=${last}`)
      for (const line of data) {
        const out = line.stream === 'stderr' ? process.stderr : process.stdout
        if (!out.write(`${harmless(line.text)}\n`)) await new Promise((resolve) => out.once('drain', resolve))
        last = line.number
        lastTime = line.time
      }
      if (data.length === 0) return
    }
  }
  try {
    const end = await until(client, asked.id, ({ status }) => isRunOver(status), { meanwhile: show })
    // What it wrote last may be on its way to where it is kept.
    const final = end.log.at(-1)?.time ?? ''
    for (const late = Date.now() + lastLinesWithinMs; lastTime < final && Date.now() < late; ) {
      await show()
      if (lastTime < final) await sleep(lookEveryMs)
    }
    return exitCodeOf(end)
  } finally {
    leave()
  }
}

/** Looks again and again, also through an answer that fails for a moment. */
async function until(
  client: Client,
  id: string,
  isIt: (run: RunDetail) => boolean,
  { failures = 60, meanwhile }: { failures?: number; meanwhile?: () => Promise<void> } = {},
): Promise<RunDetail> {
  for (let inRow = 0; ; ) {
    try {
      const now = await client.get<RunDetail>(`/runs/${id}`)
      await meanwhile?.()
      if (isIt(now)) return now
      inRow = 0
    } catch (error) {
      const isPassing = !(error instanceof ApiError) || error.status >= 500 || error.status === 429
      if (!isPassing || ++inRow > failures) throw error
    }
    await sleep(lookEveryMs * Math.min(10, inRow + 1))
  }
}

function exitCodeOf({ status, reason, exitCode, message }: Run): number {
  if (status === 'succeeded') return 0
  if (reason === 'exited' && exitCode !== null) return exitCode
  process.stderr.write(`berth: ${message ?? 'It was canceled.'}\n`)
  if (status === 'canceled') return interrupted
  return reason === 'timeout' ? tooLate : (exitCode ?? notRun)
}

/** Ctrl-C ends it there; once more only leaves. */
function cancelAtInterrupt(client: Client, id: string): () => void {
  const onInterrupt = () => void cancel(client, id)
  process.once('SIGINT', onInterrupt)
  return () => process.off('SIGINT', onInterrupt)
}

async function cancel(client: Client, id: string): Promise<void> {
  // One that is over needs it no more.
  await client.post(`/runs/${id}/cancel`).catch(() => undefined)
}

async function orNotRun<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ApiError) throw new CommandError(error.message, { cause: error, exitCode: notRun })
    throw error
  }
}
