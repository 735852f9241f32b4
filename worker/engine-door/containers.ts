import { type Context, Hono } from 'hono'
import { type Container, EngineError, usualCapabilities } from '../../engine/index.ts'
import {
  commitRequest,
  type ProcessRow,
  renameRequest,
  runRequest,
  updateRequest,
} from '../../platform/model/engine-door.ts'
import { execRequest } from '../../platform/model/exec-frames.ts'
import { operatorIdRange } from '../../platform/teams.ts'
import type { Host } from '../host.ts'
import { read, stream } from './answers.ts'
import { execSpec } from './exec.ts'
import { imageRow } from './images.ts'
import { listed, row } from './list.ts'
import { removedWhenEnded } from './remove-ended.ts'

/** What a container of the operator gets when nothing else was said. */
const usualLimits = { memoryBytes: 512 * 2 ** 20, cpuMillis: 1_000, pids: 512 }

export function containerRoutes(host: Host): Hono {
  const { containers, images } = host.engine
  const routes = new Hono()
  routes.get('/', async (c) => c.json({ data: await listed(host.engine) }))
  routes.post('/', async (c) => {
    const { image, limits, droppedCapabilities, removeWhenEnded, labels, ...spec } = await read(c, runRequest)
    if (removeWhenEnded && spec.restart !== 'no')
      throw new EngineError('invalid', 'What is removed when it ends can’t be started again: leave one away.')
    const { digest } = await images.inspect(image)
    const made = await containers.create(
      {
        ...spec,
        labels: removeWhenEnded ? { ...labels, ...removedWhenEnded } : labels,
        image: digest,
        capabilities: without(droppedCapabilities),
        limits: { ...usualLimits, ...limits },
        idRange: operatorIdRange,
      },
      { signal: c.req.raw.signal },
    )
    return c.json({ data: row(made) }, 201)
  })
  routes.get('/:id', async (c) => c.json({ data: await containers.inspect(c.req.param('id')) }))
  routes.delete('/:id', async (c) => {
    const { id } = await containers.inspect(c.req.param('id'))
    await containers.remove(id, { force: c.req.query('force') === 'true' })
    return c.json({ data: { id } })
  })
  routes.patch('/:id', async (c) => {
    const { limits, restart } = await read(c, updateRequest)
    const changes = {
      ...(limits === undefined ? {} : { limits }),
      ...(restart === undefined ? {} : { restart }),
    }
    return c.json({ data: row(await containers.update(c.req.param('id'), changes)) })
  })
  routes.post('/:id/rename', async (c) => {
    const { name } = await read(c, renameRequest)
    return c.json({ data: row(await containers.rename(c.req.param('id'), name)) })
  })
  const act = (name: string, work: (id: string, c: Context) => Promise<Container>) =>
    routes.post(`/:id/${name}`, async (c) => c.json({ data: row(await work(c.req.param('id') ?? '', c)) }))
  act('start', (id) => containers.start(id))
  act('stop', (id, c) => containers.stop(id, grace(c)))
  act('restart', (id, c) => containers.restart(id, grace(c)))
  act('kill', (id, c) => containers.kill(id, { killSignal: c.req.query('signal') ?? 'SIGKILL' }))
  act('pause', (id) => containers.pause(id))
  act('resume', (id) => containers.resume(id))
  routes.post('/:id/commit', async (c) => {
    const options = await read(c, commitRequest)
    return c.json({ data: imageRow(await containers.commit(c.req.param('id'), options)) }, 201)
  })
  routes.post('/:id/exec', async (c) => {
    const spec = execSpec(await read(c, execRequest))
    if (spec.input || spec.terminal)
      throw new EngineError('invalid', 'Nobody is there to type: it has no input.')
    const started = await containers.exec(c.req.param('id'), spec)
    // A full pipe would hold it up.
    for (const output of [started.output, started.errors]) output?.resume()
    void started.exited.catch((error) =>
      host.log.warn({ err: error }, 'a process left running in a container failed'),
    )
    return c.json({ data: null }, 202)
  })
  routes.get('/:id/top', async (c) => {
    const processes = await containers.top(c.req.param('id'))
    return c.json({ data: processes satisfies ProcessRow[] })
  })
  routes.get('/:id/wait', (c) => {
    const id = c.req.param('id')
    return stream(async function* (signal) {
      yield { result: row(await containers.wait(id, { signal })) }
    })
  })
  routes.get('/:id/logs', async (c) => {
    const { id } = await containers.inspect(c.req.param('id'))
    const { follow, tail, after, since, until } = c.req.query()
    return stream((signal) =>
      containers.logs(id, {
        follow: follow === 'true',
        ...(tail === undefined ? {} : { tail: Number(tail) }),
        ...(after === undefined ? {} : { after }),
        ...(since === undefined ? {} : { since }),
        ...(until === undefined ? {} : { until }),
        signal,
      }),
    )
  })
  return routes
}

/** The usual capabilities that are left. */
function without(dropped: string[]): string[] {
  const names = dropped.map((name) => name.toUpperCase().replace(/^(?:CAP_)?/, 'CAP_'))
  return names.includes('CAP_ALL') ? [] : usualCapabilities.filter((name) => !names.includes(name))
}

function grace(c: Context): { graceMs?: number } {
  const seconds = c.req.query('graceSeconds')
  if (seconds === undefined) return {}
  const graceMs = Number(seconds) * 1_000
  if (graceMs >= 0 && graceMs <= 3_600_000) return { graceMs }
  throw new EngineError('invalid', 'The grace is a number of seconds, 0–3600.')
}
