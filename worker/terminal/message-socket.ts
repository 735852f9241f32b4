import type { RawData, WebSocket } from 'ws'
import {
  type ClientMessage,
  channels,
  clientMessageSchema,
  mostMessageBytes,
  type WorkerMessage,
  windowBytes,
} from '../../platform/model/terminal.ts'

export interface MessageSocket {
  say(message: WorkerMessage): void
  /** Resolves when there is room for more: the other side takes what it is sent, or has left. */
  send(channel: 'output' | 'errors', bytes: Buffer): Promise<void>
  close(code: number, reason: string): void
}

export interface Incoming {
  /** Resolves when the program has taken it. */
  onInput(bytes: Buffer): Promise<void>
  onMessage(message: Exclude<ClientMessage, { type: 'taken' }>): void
  /** What came is no message of the protocol. */
  onNonsense(): void
}

/** Speaks the protocol of platform/model/terminal.ts, with its window both ways. */
export function speakOver(socket: WebSocket, { onInput, onMessage, onNonsense }: Incoming): MessageSocket {
  let sent = 0
  let takenByClient = 0
  let received = 0
  let taken = 0
  /** Whoever waits, waits for the same: output and errors share a window. */
  let roomForMore: PromiseWithResolvers<void> | null = null
  const goOn = () => {
    roomForMore?.resolve()
    roomForMore = null
  }
  const say: MessageSocket['say'] = (message) => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
  }

  async function takeInput(bytes: Buffer): Promise<void> {
    received += bytes.length
    if (received - taken > windowBytes) return onNonsense()
    await onInput(bytes)
    taken += bytes.length
    say({ type: 'taken', bytes: taken })
  }

  socket.on('message', (data: RawData, isBinary: boolean) => {
    // What `binaryType` is by itself.
    const bytes = data as Buffer
    if (isBinary) {
      if (bytes[0] === channels.input) void takeInput(bytes.subarray(1))
      else onNonsense()
      return
    }
    const message = parse(bytes)
    if (message === null) onNonsense()
    else if (message.type !== 'taken') onMessage(message)
    else if (message.bytes > sent) onNonsense()
    else {
      takenByClient = Math.max(takenByClient, message.bytes)
      goOn()
    }
  })
  socket.on('close', goOn)
  socket.resume()

  return {
    say,
    async send(channel, bytes) {
      for (let at = 0; at < bytes.length; ) {
        while (socket.readyState === socket.OPEN && sent - takenByClient >= windowBytes) {
          roomForMore ??= Promise.withResolvers()
          await roomForMore.promise
        }
        if (socket.readyState !== socket.OPEN) return
        const room = Math.min(mostMessageBytes - 1, windowBytes - (sent - takenByClient))
        const piece = bytes.subarray(at, at + room)
        at += piece.length
        sent += piece.length
        socket.send(Buffer.concat([Buffer.from([channels[channel]]), piece]))
      }
    },
    close(code, reason) {
      // A close frame holds 123 bytes of text.
      socket.close(code, Buffer.from(reason).subarray(0, 120).toString().replace(/�+$/u, ''))
    },
  }
}

function parse(bytes: Buffer): ClientMessage | null {
  try {
    return clientMessageSchema.parse(JSON.parse(bytes.toString()))
  } catch {
    return null
  }
}
