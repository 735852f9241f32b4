/**
 * How a terminal goes over a WebSocket. A binary message is a byte that says of which stream it is, and bytes of that
 * stream; a text message is JSON. Whoever receives says now and then how much it has taken: the other side sends no
 * further than `windowBytes` ahead of that. It ends with a close frame, whose code says why.
 */
import { z } from 'zod'

/** Name of the subprotocol that a client asks for, beside its ticket. */
export const terminalProtocol = 'berth.terminal.v1'
/** Before the ticket, among the subprotocols: addresses are written into logs, these are not. */
export const ticketPrefix = 'berth.ticket.'
export const terminalsPath = '/api/terminal/'
export const terminalPath = (hostId: string) => `${terminalsPath}${hostId}`

/** First byte of a binary message. */
export const channels = { input: 0, output: 1, errors: 2 } as const
/** Bytes on their way that nobody has said yet to have taken, in each direction. */
export const windowBytes = 256 * 1024
/** Of one message, as the worker takes it. */
export const mostMessageBytes = 64 * 1024

/** Why it ended. RFC 6455 leaves 4000–4999 to applications. */
export const closeCodes = {
  /** The program ended: an `exit` message said how. */
  exited: 1000,
  /** The worker stops; it may be tried again. */
  goingAway: 1001,
  failed: 1011,
  /** Something that is no message of this protocol. */
  badMessage: 4400,
  /** Unknown, used before, too old, or for another host. */
  ticketRefused: 4401,
  /** What whoever opened it may do has ended. */
  rightEnded: 4403,
  /** The container has neither bash nor sh, or not the program that was asked for. */
  noProgram: 4404,
  idle: 4408,
  /** The container ended, or was not running any more. */
  containerEnded: 4410,
  timeLimit: 4419,
  tooMany: 4429,
} as const

export type CloseReason = keyof typeof closeCodes

export function closeReasonOf(code: number): CloseReason | null {
  const found = Object.entries(closeCodes).find(([, each]) => each === code)
  return found === undefined ? null : (found[0] as CloseReason)
}

export const terminalSizeSchema = z.strictObject({
  rows: z.number().int().min(1).max(1_000),
  columns: z.number().int().min(1).max(1_000),
})

export type TerminalSize = z.infer<typeof terminalSizeSchema>

/** Which container, what to run in it, and how. */
export const openTerminalSchema = z.strictObject({
  /** Id; default: the first replica of the process that runs. */
  container: z.string().max(120).optional(),
  process: z.string().max(63).optional(),
  replica: z.number().int().min(0).max(10_000).optional(),
  /** Default: a shell. */
  command: z.array(z.string().max(32_768)).min(1).max(256).optional(),
  user: z.string().min(1).max(256).optional(),
  /**
   * Id of a run that is made for a terminal (`isAttached`): its own command begins, in its own container, and the run
   * ends with it. Once only; the container and the command are not chosen then.
   */
  run: z.string().max(64).optional(),
  /**
   * Not in the container but beside it, with Berth's own tools, for an image without any: its processes and its network are
   * seen, and its files at /proc/1/root where the kernel lets its user look.
   */
  debug: z.boolean().default(false),
  /** Null: no terminal; output and errors are told apart, and the input can end. */
  terminal: terminalSizeSchema.nullable().default({ rows: 24, columns: 80 }),
})

export type OpenTerminalInput = z.input<typeof openTerminalSchema>

export const terminalTicketSchema = z.object({
  /** Good once, for as long as `expiresAt` says. */
  ticket: z.string(),
  /** Where the WebSocket is opened, on the same origin. */
  path: z.string(),
  protocol: z.literal(terminalProtocol),
  containerId: z.string(),
  process: z.string(),
  replica: z.number().int(),
  expiresAt: z.string(),
})

export type TerminalTicket = z.infer<typeof terminalTicketSchema>

/** Text messages of the client. */
export const clientMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('resize'), ...terminalSizeSchema.shape }),
  /** So many bytes of output, of all that came, are taken. */
  z.strictObject({ type: z.literal('taken'), bytes: z.number().int().min(0) }),
  z.strictObject({ type: z.literal('input-end') }),
])

/** Text messages of the worker. */
export const workerMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), command: z.array(z.string()) }),
  /** So many bytes of input, of all that came, are with the program. */
  z.object({ type: z.literal('taken'), bytes: z.number() }),
  z.object({ type: z.literal('exit'), exitCode: z.number().int() }),
])

export type ClientMessage = z.infer<typeof clientMessageSchema>
export type WorkerMessage = z.infer<typeof workerMessageSchema>
