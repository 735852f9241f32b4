import { Hono } from 'hono'
import { attachRequest, type NetworkRow, networkRequest } from '../../platform/model/engine-door.ts'
import type { Host } from '../host.ts'
import { read } from './answers.ts'

export function networkRoutes(host: Host): Hono {
  const { networks } = host.engine
  const routes = new Hono()
  routes.get('/', async (c) => c.json({ data: (await networks.list()) satisfies NetworkRow[] }))
  routes.post('/', async (c) => {
    const { name, egress } = await read(c, networkRequest)
    return c.json({ data: await networks.create(name, { egress, signal: c.req.raw.signal }) }, 201)
  })
  routes.get('/:name', async (c) => c.json({ data: await networks.inspect(c.req.param('name')) }))
  routes.post('/:name/attach', async (c) => {
    const { container, aliases } = await read(c, attachRequest)
    return c.json({ data: await networks.attach(container, c.req.param('name'), { aliases }) })
  })
  routes.post('/:name/detach', async (c) => {
    const { container } = await read(c, attachRequest)
    await networks.detach(container, c.req.param('name'))
    return c.json({ data: { container } })
  })
  routes.delete('/:name', async (c) => {
    const { name } = await networks.inspect(c.req.param('name'))
    await networks.remove(name)
    return c.json({ data: { name } })
  })
  return routes
}
