import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'

const channel = 'http.server.request.start'

/**
 * Node ends a request that takes five minutes to arrive; a large file on a slow line takes longer. The edge limits how long
 * headers may take, and how long nothing may come; what takes bodies has limits of its own. Next.js makes the server,
 * and gives nobody else a way to it.
 */
export function allowLongUploads(): void {
  const allow = (message: unknown) => {
    const { server } = message as { server: Server }
    server.requestTimeout = 0
    unsubscribe(channel, allow)
  }
  subscribe(channel, allow)
}
