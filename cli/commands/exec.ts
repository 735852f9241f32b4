/** `berth exec`: a command or a shell in a running container of an app, by the API and a WebSocket. */
import { WebSocket } from 'ws'
import {
  type ClientMessage,
  channels,
  closeReasonOf,
  type OpenTerminalInput,
  type TerminalSize,
  type TerminalTicket,
  ticketPrefix,
  windowBytes,
  workerMessageSchema,
} from '../../platform/model/terminal.ts'
import { ApiError } from '../api.ts'
import { clientOf, findLogin, type LoginOptions } from '../client.ts'
import { findApp } from '../deploy/find-app.ts'
import { CommandError } from '../say.ts'

interface ExecOptions extends LoginOptions {
  interactive?: boolean
  tty?: boolean
  process?: string
  replica?: number
  user?: string
  debug?: boolean
}

/** As docker has it: what could not be run at all, and a program that is not there. */
const notRun = 125
const noProgram = 127
const openWithinMs = 15_000
const mostInput = 32 * 1024
/** What the worker says of an image without bash and sh. */
const noShell = 'The image has no shell.'

/** Ends with the command's exit code. Without a command it is a shell in a terminal. */
export async function exec(name: string, given: string[], options: ExecOptions): Promise<void> {
  // What follows the app is taken as it is, and so is the -- that most people write before the command.
  const argv = given[0] === '--' ? given.slice(1) : given
  const isShell = argv.length === 0
  const tty = options.tty === true || isShell
  const interactive = options.interactive === true || isShell
  if (tty && interactive && !process.stdin.isTTY)
    throw new CommandError(
      isShell
        ? 'Standard input is no terminal: say which command to run, behind --.'
        : 'Standard input is no terminal: leave -t away.',
      { exitCode: notRun },
    )
  const client = clientOf(findLogin(options))
  const { app } = await findApp(client, name)
  const asked: OpenTerminalInput = {
    process: options.process,
    replica: options.replica === undefined ? undefined : options.replica - 1,
    user: options.user,
    debug: options.debug === true,
    ...(isShell ? {} : { command: argv }),
    terminal: tty ? terminalSize() : null,
  }
  let ticket: TerminalTicket
  try {
    ticket = await client.post(`/apps/${app.id}/terminals`, asked)
  } catch (error) {
    if (error instanceof ApiError) throw new CommandError(error.message, { cause: error, exitCode: notRun })
    throw error
  }
  const socket = await connect(client.url, ticket)
  const leave = interactive ? passInput(socket, tty) : endInput(socket, tty)
  const resize = () => tell(socket, { type: 'resize', ...terminalSize() })
  if (tty) process.stdout.on('resize', resize)
  try {
    process.exitCode = await untilExit(socket)
  } finally {
    process.stdout.off('resize', resize)
    leave()
  }
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

function terminalSize(): TerminalSize {
  return { rows: process.stdout.rows || 24, columns: process.stdout.columns || 80 }
}
