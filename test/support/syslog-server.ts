import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import tls from 'node:tls'
import type { Certificates } from './certificates.ts'

export interface SyslogServer {
  port: number
  /** Whole messages, as their lengths cut them. */
  messages: string[]
  /** The next so many connections end with an error after their first message. */
  breaks: number
  close(): Promise<void>
}

/** Takes RFC 5424 messages with octet counting, over TCP or, with certificates, over TLS. */
export async function startSyslogServer(certificates?: Certificates): Promise<SyslogServer> {
  const messages: string[] = []
  const sockets = new Set<Socket>()
  const served: SyslogServer = {
    ...{ port: 0, messages, breaks: 0 },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  const take = (socket: Socket) => {
    sockets.add(socket)
    const isBreaking = served.breaks > 0
    if (isBreaking) served.breaks -= 1
    let rest = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk])
      for (;;) {
        const space = rest.indexOf(0x20)
        const length = Number(rest.subarray(0, Math.max(0, space)).toString())
        if (space < 0 || rest.length < space + 1 + length) return
        messages.push(rest.subarray(space + 1, space + 1 + length).toString())
        rest = rest.subarray(space + 1 + length)
        if (isBreaking) return void socket.resetAndDestroy()
      }
    })
  }
  const server: Server = certificates ? tls.createServer(certificates, take) : createServer(take)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  served.port = (server.address() as AddressInfo).port
  return served
}
