import { Hono } from 'hono'
import { type PrunedRow, pruneRequest, type UsageRow } from '../../platform/model/engine-door.ts'
import { keptImages } from '../../platform/worker/kept-images.ts'
import type { Host } from '../host.ts'
import { read } from './answers.ts'

/** What the engine keeps on disk, and what of it may go. */
export function diskRoutes(host: Host): Hono {
  const { garbage } = host.engine
  const routes = new Hono()
  routes.get('/', async (c) => {
    const usage = await garbage.usage({ signal: c.req.raw.signal })
    return c.json({ data: usage satisfies UsageRow })
  })
  routes.post('/prune', async (c) => {
    const { all, unusedForMs, labels, withoutLabels, dryRun } = await read(c, pruneRequest)
    const collected = await garbage.collect({
      // Whoever prunes means what lies about, not what an app may be rolled back to.
      keep: await keptImages(host.platform, host.id),
      ...{ unusedForMs, labels, withoutLabels, dryRun, graceMs: 0, danglingOnly: !all },
      signal: c.req.raw.signal,
    })
    return c.json({ data: collected satisfies PrunedRow })
  })
  return routes
}
