/** A program in a container, by a ticket and a WebSocket: our input goes to it, its output comes to us. */
import { WebSocket } from 'ws'
import {
  type ClientMessage,
  channels,
  closeReasonOf,
  type TerminalSize,
  type TerminalTicket,
  ticketPrefix,
  windowBytes,
  workerMessageSchema,
} from '../platform/model/terminal.ts'
import { CommandError } from './say.ts'

/** As docker has it: what could not be run at all, and a program that is not there. */
export const notRun = 125
export const noProgram = 127
const openWithinMs = 15_000
const mostInput = 32 * 1024
/** What the worker says of an image without bash and sh. */
const noShell = 'The image has no shell.'

/** Answers with its exit code. Throws CommandError where it can't be run, or is cut off. */
export async function throughTerminal(
  origin: string,
  ticket: TerminalTicket,
  { tty, interactive }: { tty: boolean; interactive: boolean },
): Promise<number> {
  const socket = await connect(origin, ticket)
  const leave = interactive ? passInput(socket, tty) : endInput(socket, tty)
  const resize = () => tell(socket, { type: 'resize', ...terminalSize() })
  if (tty) process.stdout.on('resize', resize)
  try {
    return await untilExit(socket)
  } finally {
    process.stdout.off('resize', resize)
    leave()
  }
}

/** Throws where a terminal is asked for that standard input is not. */
export function mustBeTerminal(isShell: boolean): void {
  if (process.stdin.isTTY) return
  throw new CommandError(
    isShell
      ? 'Standard input is no terminal: say which command to run, behind --.'
      : 'Standard input is no terminal: leave -t away.',
    { exitCode: notRun },
  )
}

export function terminalSize(): TerminalSize {
  return { rows: process.stdout.rows || 24, columns: process.stdout.columns || 80 }
}

async function connect(origin: string, { path, protocol, ticket }: TerminalTicket): Promise<WebSocket> {
  const socket = new WebSocket(
    `${origin.replace(/^http/, 'ws')}${path}`,
    [protocol, `${ticketPrefix}${ticket}`],
    { handshakeTimeout: openWithinMs, perMessageDeflate: false },
  )
  socket.pause()
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', (error) =>
      reject(
        new CommandError(`The terminal of ${origin} does not answer (${error.message}).`, {
          exitCode: notRun,
        }),
      ),
    )
  })
  socket.on('error', () => socket.terminate())
  return socket
}

function passInput(socket: WebSocket, tty: boolean): () => void {
  let sent = 0
  let taken = 0
  const { stdin } = process
  // Ctrl-C and all other keys are the program's.
  if (tty) stdin.setRawMode(true)
  const onData = (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += mostInput) {
      const piece = chunk.subarray(at, at + mostInput)
      socket.send(Buffer.concat([Buffer.from([channels.input]), piece]))
      sent += piece.length
    }
    // A chunk of standard input is 64 KiB at most.
    if (sent - taken > windowBytes / 2) stdin.pause()
  }
  stdin.on('data', onData)
  stdin.once('end', () => tell(socket, { type: 'input-end' }))
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) return
    const message = workerMessageSchema.parse(JSON.parse(data.toString()))
    if (message.type !== 'taken') return
    taken = message.bytes
    if (sent - taken <= windowBytes / 2) stdin.resume()
  })
  return () => {
    stdin.off('data', onData)
    if (tty) stdin.setRawMode(false)
    stdin.pause()
  }
}

function endInput(socket: WebSocket, tty: boolean): () => void {
  if (!tty) tell(socket, { type: 'input-end' })
  return () => {}
}

/** What it writes is written before its exit code is believed. */
async function untilExit(socket: WebSocket): Promise<number> {
  let exitCode: number | null = null
  let received = 0
  let written: Promise<void> = Promise.resolve()
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) {
      const message = workerMessageSchema.parse(JSON.parse(data.toString()))
      if (message.type === 'exit') exitCode = message.exitCode
      return
    }
    const out = data[0] === channels.output ? process.stdout : process.stderr
    const bytes = data.subarray(1)
    written = written.then(async () => {
      await new Promise<void>((resolve) => out.write(bytes, () => resolve()))
      received += bytes.length
      tell(socket, { type: 'taken', bytes: received })
    })
  })
  const closed = new Promise<{ code: number; text: string }>((resolve) =>
    socket.on('close', (code, text) => resolve({ code, text: text.toString() })),
  )
  socket.resume()
  const { code, text } = await closed
  await written
  if (exitCode !== null) return exitCode
  const reason = closeReasonOf(code)
  const hint = text === noShell ? ' --debug opens one beside it, with tools of Berth’s own.' : ''
  throw new CommandError(`${text || 'The connection to the container was lost.'}${hint}`, {
    exitCode: reason === 'noProgram' ? noProgram : notRun,
  })
}

function tell(socket: WebSocket, message: ClientMessage): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
}
