import { createServer, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  mostMessageBytes,
  terminalPath,
  terminalProtocol,
  ticketPrefix,
} from '../../platform/model/terminal.ts'
import { nameOf } from '../../platform/terminals.ts'
import { finishAttachedRun } from '../../platform/worker/runs.ts'
import { recordTerminalEnd, takeTicket } from '../../platform/worker/terminals.ts'
import type { Host } from '../host.ts'
import { createTerminalPlaces } from './places.ts'
import { refuse, runSession } from './session.ts'

export interface Terminals {
  /** Nobody comes in any more; those that are open are told to try again. */
  close(): Promise<void>
}

const mostConnections = 500

/** Serves terminals in this host's containers, by WebSockets that come through the edge. */
export async function openTerminals(
  host: Pick<Host, 'id' | 'engine' | 'platform' | 'log'>,
  socketName: string,
): Promise<Terminals> {
  const { platform, log } = host
  const places = createTerminalPlaces()
  const sessions = new Set<Promise<void>>()
  const stopping = new AbortController()
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: mostMessageBytes,
    handleProtocols: () => terminalProtocol,
  })
  const server = createServer((_, response) => {
    response.writeHead(426, { upgrade: 'websocket', 'content-type': 'text/plain' })
    response.end('Open this as a WebSocket.\n')
  })
  server.maxConnections = mostConnections
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const ticket = ticketOf(request)
    if (request.url !== terminalPath(host.id)) return answer(socket, '404 Not Found')
    // Browsers say where a page comes from, programs nothing; no page but ours may open one.
    if (!isOwnOrigin(request)) return answer(socket, '403 Forbidden')
    if (ticket === null) return answer(socket, '400 Bad Request')
    sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on('error', () => opened.terminate())
      // Until somebody listens, nothing is read: what a client sends at once would be lost.
      opened.pause()
      const session = serve(opened, ticket)
        .catch((error) => {
          log.warn({ err: error }, 'a terminal could not be opened')
          refuse(opened, 'failed')
        })
        .finally(() => sessions.delete(session))
      sessions.add(session)
    })
  })

  async function serve(socket: WebSocket, ticket: string): Promise<void> {
    if (stopping.signal.aborted) return refuse(socket, 'goingAway')
    const work = await takeTicket(platform, ticket)
    if (work === null || work.hostId !== host.id) return refuse(socket, 'ticketRefused')
    const leave = places.take({ person: nameOf(work.viewer), appId: work.appId })
    if (leave === null) return refuse(socket, 'tooMany')
    const startedAtMs = Date.now()
    try {
      const { idleMs, wholeMs } = platform.config.terminal
      const end = await runSession(host, socket, work, { idleMs, wholeMs }, stopping.signal)
      if (work.runId !== undefined) await finishAttachedRun(platform, work.runId, end)
      await recordTerminalEnd(platform, work, { reason: end.reason, startedAtMs })
    } finally {
      leave()
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(`\0${socketName}`, resolve)
  })
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      stopping.abort()
      server.closeIdleConnections()
      await Promise.allSettled(sessions)
      server.closeAllConnections()
      await closed
    },
  }
}

function ticketOf({ headers }: IncomingMessage): string | null {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim())
  if (!offered.includes(terminalProtocol)) return null
  const ticket = offered.find((each) => each.startsWith(ticketPrefix))
  return ticket === undefined ? null : ticket.slice(ticketPrefix.length)
}

function isOwnOrigin({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers
  return origin === undefined || URL.parse(origin)?.host === host
}

function answer(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
