import {
  type ClientMessage,
  type CloseReason,
  channels,
  closeReasonOf,
  type TerminalSize,
  type TerminalTicket,
  ticketPrefix,
  windowBytes,
  workerMessageSchema,
} from '@/platform/model/terminal.ts'

export interface TerminalEnd {
  /** Null: the connection went without a word. */
  reason: CloseReason | null
  exitCode: number | null
}

export interface TerminalEvents {
  onReady(): void
  /** `taken` is called when it is on the screen. */
  onOutput(bytes: Uint8Array, taken: () => void): void
  onEnd(end: TerminalEnd): void
}

export interface TerminalSocket {
  send(bytes: Uint8Array): void
  resize(size: TerminalSize): void
  close(): void
}

const mostInput = 16 * 1024
/** Told in pieces of this, and not of each byte: the worker stops at eight times as much. */
const tellEvery = windowBytes / 8

/** The browser's side of platform/model/terminal.ts: it holds back what the container has not taken yet. */
export function openTerminalSocket(
  { path, protocol, ticket }: TerminalTicket,
  { onReady, onOutput, onEnd }: TerminalEvents,
): TerminalSocket {
  const url = new URL(path, location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  const socket = new WebSocket(url, [protocol, `${ticketPrefix}${ticket}`])
  socket.binaryType = 'arraybuffer'
  const waiting: Uint8Array[] = []
  let [sent, takenByProgram, shown, told] = [0, 0, 0, 0]
  let exitCode: number | null = null
  const tell = (message: ClientMessage) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
  }

  function flush(): void {
    while (socket.readyState === WebSocket.OPEN) {
      const next = waiting[0]
      if (next === undefined || sent - takenByProgram + next.length > windowBytes) return
      waiting.shift()
      const message = new Uint8Array(next.length + 1)
      message[0] = channels.input
      message.set(next, 1)
      socket.send(message)
      sent += next.length
    }
  }

  socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer | string>) => {
    if (typeof data !== 'string') {
      const bytes = new Uint8Array(data, 1)
      onOutput(bytes, () => {
        shown += bytes.length
        if (shown - told < tellEvery) return
        told = shown
        tell({ type: 'taken', bytes: told })
      })
      return
    }
    const message = workerMessageSchema.parse(JSON.parse(data))
    if (message.type === 'ready') onReady()
    else if (message.type === 'exit') exitCode = message.exitCode
    else {
      takenByProgram = message.bytes
      flush()
    }
  })
  socket.addEventListener('open', flush)
  socket.addEventListener('close', ({ code }) => onEnd({ reason: closeReasonOf(code), exitCode }))

  return {
    send(bytes) {
      for (let at = 0; at < bytes.length; at += mostInput) waiting.push(bytes.slice(at, at + mostInput))
      flush()
    },
    resize: (size) => tell({ type: 'resize', ...size }),
    close: () => socket.close(1000),
  }
}
