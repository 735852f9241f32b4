import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

/** Answers a request; what it does not end stays open. */
export type Respond = (received: Received, response: ServerResponse) => void

export interface WebhookReceiver {
  url: string
  received: Received[]
  /** From now on; at first everything is answered with 200. */
  respond(how: Respond): void
  close(): Promise<void>
}

/** A real HTTP server that takes what is posted to it. */
export async function startReceiver(): Promise<WebhookReceiver> {
  const received: Received[] = []
  let respond: Respond = (_, response) => void response.end('thanks')
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const one = { path: request.url ?? '', headers: request.headers, body }
    received.push(one)
    respond(one, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    respond(how) {
      respond = how
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
