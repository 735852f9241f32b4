import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { engineSocket } from '../../platform/model/engine-door.ts'
import type { Host } from '../host.ts'
import { listenOnSocket } from '../listen-on-socket.ts'
import { refuse, stream } from './answers.ts'
import { archiveRoutes } from './archives.ts'
import { containerRoutes } from './containers.ts'
import { diskRoutes } from './disk.ts'
import { serveExec } from './exec.ts'
import { fileRoutes } from './files.ts'
import { imageRoutes } from './images.ts'
import { row } from './list.ts'
import { networkRoutes } from './networks.ts'
import { removeEnded } from './remove-ended.ts'
import { statsRoutes } from './stats.ts'
import { volumeRoutes } from './volumes.ts'

export interface EngineDoor {
  /** Nobody comes in any more, and what is under way is cut off. */
  close(): Promise<void>
}

/** Opens the engine of this host to its operator, by a Unix socket that only root can open. */
export async function openEngineDoor(host: Host): Promise<EngineDoor> {
  const path = join(host.platform.config.home, engineSocket)
  const server = createServer(getRequestListener(doorRoutes(host).fetch))
  const connections = new Set<Duplex>()
  server.on('upgrade', (request, socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    void serveExec(host, request, socket)
  })
  await listenOnSocket(server, path)
  const stop = new AbortController()
  const removing = removeEnded(host, stop.signal)
  return {
    async close() {
      stop.abort()
      await removing
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      for (const connection of connections) connection.destroy()
      await closed
      await rm(path, { force: true })
    },
  }
}

function doorRoutes(host: Host): Hono {
  const routes = new Hono()
  routes.onError((error) => refuse(error))
  routes.notFound(() =>
    Response.json({ error: { kind: 'not-found', message: 'There is nothing here.' } }, { status: 404 }),
  )
  routes.get('/info', async (c) => c.json({ data: await host.engine.info() }))
  routes.get('/events', (c) => {
    const { since, until } = c.req.query()
    const times = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) }
    return stream(async function* (signal) {
      for await (const { type, at, container } of host.engine.containers.events({ ...times, signal }))
        yield { type, at, container: row(container) }
    })
  })
  routes.route('/disk', diskRoutes(host))
  routes.route('/stats', statsRoutes(host))
  routes.route('/images', archiveRoutes(host))
  routes.route('/images', imageRoutes(host))
  routes.route('/containers', containerRoutes(host))
  routes.route('/containers', fileRoutes(host))
  routes.route('/networks', networkRoutes(host))
  routes.route('/volumes', volumeRoutes(host))
  return routes
}
