import { Hono } from 'hono'
import type { Volume } from '../../engine/index.ts'
import { type PrunedVolumeRow, type VolumeRow, volumeRequest } from '../../platform/model/engine-door.ts'
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
  routes.post('/prune', async (c) => {
    const unused = (await volumes.list()).filter(isOperators).filter(({ usedBy }) => usedBy.length === 0)
    const pruned: PrunedVolumeRow[] = []
    for (const { name } of unused) {
      const { usedBytes } = await volumes.usage(name)
      await volumes.remove(name)
      pruned.push({ name, usedBytes })
    }
    return c.json({ data: pruned })
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

/** An app's is not for pruning, whether it is mounted at this moment or not. */
const isOperators = ({ idRange }: Volume) => idRange.base === operatorIdRange.base

function row({ name, sizeBytes, limitedBy, labels, createdAt, usedBy }: Volume): VolumeRow {
  return { name, sizeBytes, limitedBy, labels, createdAt, usedBy }
}
