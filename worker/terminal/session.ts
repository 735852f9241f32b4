import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { type ExecProcess, isEngineError } from '../../engine/index.ts'
import { type CloseReason, closeCodes } from '../../platform/model/terminal.ts'
import { mayHaveTerminal } from '../../platform/terminals.ts'
import { watchRight } from '../../platform/watch-right.ts'
import type { TerminalWork } from '../../platform/worker/terminals.ts'
import { messageOf } from '../failure.ts'
import type { Host } from '../host.ts'
import { type MessageSocket, speakOver } from './message-socket.ts'
import { type Started, startProgram } from './start-program.ts'

export interface SessionLimits {
  /** Without a byte either way. */
  idleMs: number
  /** Whatever happens in it. */
  wholeMs: number
}

const words: Record<Exclude<CloseReason, 'exited' | 'noProgram' | 'containerEnded'>, string> = {
  goingAway: 'Berth is being restarted on this host. Open it again in a moment.',
  failed: 'Something went wrong on the host.',
  badMessage: 'A message can not be read.',
  ticketRefused: 'The ticket is unknown, was used, or is too old. Ask for another.',
  rightEnded: 'You may not have this terminal any more.',
  idle: 'Nothing was typed or written for a long time.',
  timeLimit: 'It was open as long as a terminal may be.',
  tooMany: 'Too many terminals are open. Close one.',
}

const hangUpMs = 1_000
const lastOutputMs = 2_000
const pingEveryMs = 20_000
const silentMs = 60_000

export interface SessionEnd {
  reason: CloseReason | 'left'
  /** Null unless its program ended by itself. */
  exitCode: number | null
}

/** One program in a container, and the WebSocket to it: each ends with the other. Answers why it ended. */
export async function runSession(
  host: Pick<Host, 'engine' | 'platform' | 'log'>,
  socket: WebSocket,
  work: TerminalWork,
  limits: SessionLimits,
  stopping: AbortSignal,
): Promise<SessionEnd> {
  const ended = Promise.withResolvers<CloseReason | 'left'>()
  const over = new AbortController()
  const idle = setTimeout(() => ended.resolve('idle'), limits.idleMs)
  const whole = setTimeout(() => ended.resolve('timeLimit'), limits.wholeMs)
  const right = watchRight(host.platform, work.viewer, () =>
    mayHaveTerminal(host.platform, work.viewer, work.appId),
  )
  right.lost.addEventListener('abort', () => ended.resolve('rightEnded'))
  stopping.addEventListener('abort', () => ended.resolve('goingAway'), { once: true })
  socket.once('close', () => ended.resolve('left'))
  const begun = Promise.withResolvers<ExecProcess | null>()
  // In the order in which it came, also what came before the program began.
  let turn: Promise<void> = Promise.resolve()
  const inTurn = (take: (program: ExecProcess) => Promise<void> | void) => {
    turn = turn.then(async () => {
      const program = await begun.promise
      if (program !== null) await take(program)
    })
    return turn
  }
  const messages = speakOver(socket, {
    onInput(bytes) {
      idle.refresh()
      return inTurn(({ input }) => write(input, bytes))
    },
    onMessage(message) {
      if (message.type === 'resize') {
        // At once: a program that does not read is no reason to keep its old size.
        if (work.terminal !== null) void begun.promise.then((program) => program?.resize(message))
      } else if (work.terminal === null) void inTurn(({ input }) => void input?.end())
    },
    onNonsense: () => ended.resolve('badMessage'),
  })
  const stopBeating = keepAlive(socket)
  let cleanUp = async () => {}
  try {
    // Whoever leaves before it has begun is no reason not to wait: what was started is ended.
    const started = await startProgram(host, work, over.signal)
    if ('reason' in started) {
      messages.close(closeCodes[started.reason], started.message)
      return { reason: started.reason, exitCode: null }
    }
    cleanUp = started.cleanUp
    started.process.input?.on('error', () => {})
    begun.resolve(started.process)
    messages.say({ type: 'ready', command: started.command })
    let exitCode: number | null = null
    const exit = serve(host, started, messages, () => idle.refresh())
    exit.then(
      (code) => {
        exitCode = code
        ended.resolve(code === null ? 'containerEnded' : 'exited')
      },
      (error) => {
        // The container can end before the program has begun in earnest.
        if (isEngineError(error, 'failed-precondition')) return ended.resolve('containerEnded')
        host.log.warn({ err: error, container: work.containerId }, 'a terminal broke')
        ended.resolve('failed')
      },
    )
    const reason = await ended.promise
    if (reason === 'exited') messages.close(closeCodes.exited, '')
    else if (reason === 'containerEnded') messages.close(closeCodes.containerEnded, 'The container ended.')
    else if (reason !== 'left' && reason !== 'noProgram') messages.close(closeCodes[reason], words[reason])
    await endProgram(started, over)
    return { reason, exitCode }
  } catch (error) {
    host.log.warn({ err: error, container: work.containerId }, `a terminal failed: ${messageOf(error)}`)
    messages.close(closeCodes.failed, words.failed)
    return { reason: 'failed', exitCode: null }
  } finally {
    begun.resolve(null)
    clearTimeout(idle)
    clearTimeout(whole)
    stopBeating()
    over.abort()
    await Promise.all([
      right.end(),
      cleanUp().catch((error) => host.log.warn({ err: error }, 'the tools of a terminal were not removed')),
    ])
  }
}

export function refuse(
  socket: WebSocket,
  reason: 'ticketRefused' | 'tooMany' | 'goingAway' | 'failed',
): void {
  // It is paused until somebody listens; the other side's farewell has to be heard.
  socket.resume()
  socket.close(closeCodes[reason], words[reason])
}

/** Passes on what it writes, to the last byte, then how it ended: its exit code; null when its container ended. */
async function serve(
  { engine }: Pick<Host, 'engine'>,
  { process, container }: Started,
  messages: MessageSocket,
  onOutput: () => void,
): Promise<number | null> {
  let sending = 0
  let sent = 0
  const pump = async (channel: 'output' | 'errors', stream: Readable) => {
    for await (const bytes of stream) {
      sending++
      await messages.send(channel, bytes as Buffer)
      sending--
      sent++
      onOutput()
    }
  }
  const outputs: Promise<unknown> = Promise.all([
    pump('output', process.output),
    process.errors === null ? null : pump('errors', process.errors),
  ])
  outputs.catch(() => {})
  const exitCode = await process.exited
  // A slow reader gets all of it. What the program left behind may hold its terminal open for ever, and says nothing.
  for (let before = -1; ; before = sent) {
    const silence = sleep(lastOutputMs, 'silence' as const, { ref: false })
    const first = await Promise.race([outputs.then(() => 'end' as const), silence])
    if (first === 'end' || (sending === 0 && sent === before)) break
  }
  if (exitCode === 137 && (await hasEnded(engine, container))) return null
  messages.say({ type: 'exit', exitCode })
  return exitCode
}

/** A killed program may be the first that is seen of the end of its container. */
async function hasEnded(engine: Host['engine'], before: Started['container']): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    const now = await engine.containers.inspect(before.id).catch(() => null)
    if (now === null || now.status !== 'running' || now.startedAt !== before.startedAt) return true
    await sleep(50)
  }
  return false
}

/** Told as when a line is cut, so that a shell passes it on to what runs in it; then killed. */
async function endProgram({ process }: Started, over: AbortController): Promise<void> {
  process.kill('SIGHUP')
  const waited = new AbortController()
  const late = sleep(hangUpMs, 'late' as const, { signal: waited.signal }).catch(() => 'late' as const)
  const first = await Promise.race([process.exited.catch(() => 0), late])
  waited.abort()
  if (first === 'late') over.abort()
  await process.exited.catch(() => 0)
}

/** Resolves when the program, or its terminal, has taken it; and when there is nobody any more who could. */
function write(input: Writable | null, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (input === null || !input.writable) resolve()
    else input.write(bytes, () => resolve())
  })
}

/** A line that is dead without a word is found out; and nothing on the way takes a silent one for dead. */
function keepAlive(socket: WebSocket): () => void {
  let heardAt = Date.now()
  const heard = () => {
    heardAt = Date.now()
  }
  socket.on('pong', heard)
  socket.on('message', heard)
  const timer = setInterval(() => {
    if (Date.now() - heardAt > silentMs) socket.terminate()
    else socket.ping()
  }, pingEveryMs)
  return () => clearInterval(timer)
}
