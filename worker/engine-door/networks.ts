import { Hono } from 'hono'
import { type NetworkRow, networkRequest } from '../../platform/model/engine-door.ts'
import type { Host } from '../host.ts'
import { read } from './answers.ts'

export function networkRoutes(host: Host): Hono {
  const { networks } = host.engine
  const routes = new Hono()
  routes.get('/', async (c) => c.json({ data: (await networks.list()) satisfies NetworkRow[] }))
  routes.post('/', async (c) => {
    const { name } = await read(c, networkRequest)
    return c.json({ data: await networks.ensure(name, { signal: c.req.raw.signal }) }, 201)
  })
  routes.delete('/:name', async (c) => {
    await networks.remove(c.req.param('name'))
    return c.json({ data: { name: c.req.param('name') } })
  })
  return routes
}
