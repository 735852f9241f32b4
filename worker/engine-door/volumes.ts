import { Hono } from 'hono'
import type { Volume } from '../../engine/index.ts'
import { type VolumeRow, volumeRequest } from '../../platform/model/engine-door.ts'
import { operatorIdRange } from '../../platform/teams.ts'
import type { Host } from '../host.ts'
import { read } from './answers.ts'

export function volumeRoutes(host: Host): Hono {
  const { volumes } = host.engine
  const routes = new Hono()
  routes.get('/', async (c) => c.json({ data: (await volumes.list()).map(row) }))
  routes.post('/', async (c) => {
    const spec = await read(c, volumeRequest)
    return c.json({ data: row(await volumes.create({ ...spec, idRange: operatorIdRange })) }, 201)
  })
  routes.get('/:name', async (c) => {
    const volume = await volumes.inspect(c.req.param('name'))
    return c.json({ data: { ...row(volume), ...(await volumes.usage(volume.name)) } })
  })
  routes.delete('/:name', async (c) => {
    const { name } = await volumes.inspect(c.req.param('name'))
    await volumes.remove(name)
    return c.json({ data: { name } })
  })
  return routes
}

function row({ name, sizeBytes, limitedBy, labels, createdAt, usedBy }: Volume): VolumeRow {
  return { name, sizeBytes, limitedBy, labels, createdAt, usedBy }
}
