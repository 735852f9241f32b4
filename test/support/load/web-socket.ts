/** A WebSocket to an app by its name, which Node's own client can't say: it asks the address in the URL. RFC 6455. */
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import type { Socket } from 'node:net'

export interface TestWebSocket {
  /** Resolves with the text that comes back. At most 125 bytes, one at a time. */
  echo(text: string): Promise<string>
  /** Code of the close frame; 1006 when the connection went without one. */
  closed: Promise<number>
  end(): void
}

/** Throws when the answer is not 101. */
export async function openWebSocket(port: number, host: string): Promise<TestWebSocket> {
  const opened = Promise.withResolvers<Socket>()
  const headers = {
    ...{ host, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
    'sec-websocket-key': randomBytes(16).toString('base64'),
  }
  const sent = request({ host: '127.0.0.1', port, path: '/socket', agent: false, headers })
  sent.on('upgrade', (_, socket) => opened.resolve(socket as Socket))
  sent.on('response', ({ statusCode }) => opened.reject(new Error(`status ${statusCode}`)))
  sent.on('error', opened.reject)
  sent.end()
  const socket = await opened.promise
  const closed = Promise.withResolvers<number>()
  let answer = Promise.withResolvers<string>()
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let size = 0; rest.length >= 2; rest = rest.subarray(size)) {
      size = 2 + (rest[1] ?? 0)
      if (rest.length < size) break
      const [kind, content] = [(rest[0] ?? 0) & 0x0f, rest.subarray(2, size)]
      if (kind === 1) answer.resolve(content.toString())
      if (kind === 8) closed.resolve(content.readUInt16BE(0))
    }
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    closed.resolve(1006)
    socket.destroy()
  })
  socket.on('end', () => socket.end())
  return {
    closed: closed.promise,
    echo(text) {
      answer = Promise.withResolvers()
      const mask = randomBytes(4)
      const masked = Buffer.from(text).map((byte, index) => byte ^ (mask[index % 4] ?? 0))
      socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | masked.length]), mask, masked]))
      return answer.promise
    },
    end: () => void socket.destroy(),
  }
}
