/** A client of the worker's terminals, as the browser and the command line are. */
import { WebSocket } from 'ws'
import {
  type ClientMessage,
  type CloseReason,
  channels,
  closeReasonOf,
  type TerminalTicket,
  terminalProtocol,
  ticketPrefix,
  workerMessageSchema,
} from '../../platform/model/terminal.ts'
import { until } from './until.ts'

export interface TestTerminal {
  /** All that came, terminal or not. */
  output(): string
  errors(): string
  /** Bytes of output that came. */
  received(): number
  /** What the worker said, in order. */
  said: unknown[]
  type(text: string): void
  tell(message: ClientMessage | string): void
  /** Waits for text in the output from now on, or from the beginning. */
  untilShown(text: string | RegExp): Promise<void>
  closed: Promise<{ reason: CloseReason | null; code: number; text: string }>
  /** The connection goes without a word. */
  cut(): void
  close(): void
}

export interface TestTerminalOptions {
  headers?: Record<string, string>
  protocols?: string[]
  path?: string
  /** Says nothing of having taken what came. */
  isSlow?: boolean
}

/** Throws with the status when the answer is not 101. */
export async function connectTerminal(
  port: number,
  ticket: Pick<TerminalTicket, 'ticket' | 'path'>,
  { headers = {}, protocols, path = ticket.path, isSlow = false }: TestTerminalOptions = {},
): Promise<TestTerminal> {
  const socket = new WebSocket(
    `ws://127.0.0.1:${port}${path}`,
    protocols ?? [terminalProtocol, `${ticketPrefix}${ticket.ticket}`],
    { headers: { host: `localhost:${port}`, ...headers } },
  )
  const chunks: Record<'output' | 'errors', Buffer[]> = { output: [], errors: [] }
  const said: unknown[] = []
  let received = 0
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) {
      said.push(workerMessageSchema.parse(JSON.parse(data.toString())))
      return
    }
    chunks[data[0] === channels.output ? 'output' : 'errors'].push(data.subarray(1))
    received += data.length - 1
    if (!isSlow) socket.send(JSON.stringify({ type: 'taken', bytes: received }))
  })
  const closed = new Promise<Awaited<TestTerminal['closed']>>((resolve) =>
    socket.on('close', (code, text) => resolve({ reason: closeReasonOf(code), code, text: text.toString() })),
  )
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
    socket.once('unexpected-response', (_, { statusCode }) => reject(new Error(`status ${statusCode}`)))
  })
  socket.on('error', () => {})
  const output = () => Buffer.concat(chunks.output).toString()
  return {
    ...{ said, closed, output },
    errors: () => Buffer.concat(chunks.errors).toString(),
    received: () => received,
    type: (text) => socket.send(Buffer.concat([Buffer.from([channels.input]), Buffer.from(text)])),
    tell: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    untilShown: async (text) => {
      await until(`the terminal shows ${text}`, () =>
        typeof text === 'string' ? output().includes(text) : text.test(output()),
      ).catch((error) => {
        throw new Error(`${error.message}; it shows ${JSON.stringify(output().slice(-400))}`)
      })
    },
    cut: () => socket.terminate(),
    close: () => socket.close(1000),
  }
}
