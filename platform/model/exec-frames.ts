/**
 * How the streams of one process go over one connection, both ways: frames of a byte that says what it is, four bytes
 * of length (big-endian), and so many bytes.
 */
import { z } from 'zod'

export const frameKinds = ['input', 'output', 'errors', 'exit', 'failure', 'input-end', 'resize'] as const

export type FrameKind = (typeof frameKinds)[number]

export interface Frame {
  kind: FrameKind
  payload: Uint8Array
}

/** Name of the protocol in the headers Upgrade of request and answer. */
export const execProtocol = 'berth-exec'
/** Holds what is to be run, as JSON in base64url. */
export const execHeader = 'x-berth-exec'

const size = z.strictObject({
  rows: z.number().int().min(1).max(10_000),
  columns: z.number().int().min(1).max(10_000),
})

export const execRequest = z.strictObject({
  command: z.array(z.string()).min(1),
  environment: z.record(z.string(), z.string()).default({}),
  user: z.string().max(256).optional(),
  workingDir: z.string().max(4_096).optional(),
  input: z.boolean().default(false),
  terminal: size.optional(),
})
export type TerminalSize = z.output<typeof size>
export type ExecRequest = z.input<typeof execRequest>

/** Payload of `resize`, as JSON. */
export const resizePayload = size
/** Payload of `exit`, as JSON. */
export const exitPayload = z.object({ exitCode: z.number().int() })

const headerBytes = 5
const mostBytes = 2 ** 20

export function frame(kind: FrameKind, payload: Uint8Array | object = new Uint8Array()): Uint8Array {
  const bytes = payload instanceof Uint8Array ? payload : new TextEncoder().encode(JSON.stringify(payload))
  const whole = new Uint8Array(headerBytes + bytes.length)
  whole[0] = frameKinds.indexOf(kind)
  new DataView(whole.buffer).setUint32(1, bytes.length)
  whole.set(bytes, headerBytes)
  return whole
}

/** Throws for bytes that are no frames, such as a length beyond a mebibyte. What is cut off at the end is dropped. */
export async function* frames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let rest = new Uint8Array()
  for await (const chunk of source) {
    const joined = new Uint8Array(rest.length + chunk.length)
    joined.set(rest)
    joined.set(chunk, rest.length)
    rest = joined
    while (rest.length >= headerBytes) {
      const kind = frameKinds[rest[0] ?? 255]
      const length = new DataView(rest.buffer, rest.byteOffset).getUint32(1)
      if (kind === undefined || length > mostBytes)
        throw new Error('what comes over the connection is no frame')
      if (rest.length < headerBytes + length) break
      yield { kind, payload: rest.subarray(headerBytes, headerBytes + length) }
      rest = rest.subarray(headerBytes + length)
    }
  }
}

export function jsonOf<Schema extends z.ZodType>(schema: Schema, payload: Uint8Array): z.output<Schema> {
  return schema.parse(JSON.parse(new TextDecoder().decode(payload)))
}
