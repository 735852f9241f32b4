import { Hono } from 'hono'
import { EngineError, type Image, type RegistryCredentials } from '../../engine/index.ts'
import {
  type HistoryRow,
  type ImageRow,
  pullRequest,
  pushRequest,
  type RemovedRow,
  remoteNamesRequest,
  tagRequest,
} from '../../platform/model/engine-door.ts'
import type { Platform } from '../../platform/open.ts'
import { issueRegistryToken } from '../../platform/registry/grant.ts'
import { ownRepository } from '../../platform/registry/own-name.ts'
import type { Host } from '../host.ts'
import { read, reported, stream } from './answers.ts'

export function imageRoutes(host: Host): Hono {
  const { engine, platform } = host
  const routes = new Hono()
  routes.get('/', async (c) => c.json({ data: (await engine.images.list()).map(imageRow) }))
  routes.get('/inspect', async (c) =>
    c.json({ data: await engine.images.inspect(named(c.req.query('name'))) }),
  )
  routes.get('/documents', async (c) =>
    c.json({ data: await engine.images.documents(named(c.req.query('name'))) }),
  )
  routes.get('/history', async (c) => {
    const steps = await engine.images.history(named(c.req.query('name')))
    return c.json({ data: steps satisfies HistoryRow[] })
  })
  routes.post('/tag', async (c) => {
    const { source, target } = await read(c, tagRequest)
    return c.json({ data: imageRow(await engine.images.tag(source, target)) })
  })
  routes.delete('/', async (c) => {
    const force = c.req.query('force') === 'true'
    const removed = await engine.images.remove(named(c.req.query('name')), { force })
    return c.json({ data: removed satisfies RemovedRow })
  })
  routes.post('/pull', async (c) => {
    const { reference, platform: wanted, credentials } = await read(c, pullRequest)
    return stream((signal) =>
      reported(async (onProgress) => {
        const access = credentials ? basic(credentials) : await ownAccess(platform, reference, ['pull'])
        return imageRow(
          await engine.images.pull(reference, { platform: wanted, credentials: access, onProgress, signal }),
        )
      }),
    )
  })
  routes.post('/remote-names', async (c) => {
    const { repository, credentials } = await read(c, remoteNamesRequest)
    return stream((signal) =>
      reported(async () => {
        const access = credentials ? basic(credentials) : await ownAccess(platform, repository, ['pull'])
        return engine.images.namesIn(repository, { credentials: access, signal })
      }),
    )
  })
  routes.post('/push', async (c) => {
    const { image, to, credentials } = await read(c, pushRequest)
    return stream((signal) =>
      reported(async (onProgress) => {
        const access = credentials
          ? basic(credentials)
          : await ownAccess(platform, to ?? image, ['pull', 'push'])
        return engine.images.push(image, { to, credentials: access, onProgress, signal })
      }),
    )
  })
  return routes
}

export function named(name: string | undefined): string {
  if (name === undefined || name === '')
    throw new EngineError('invalid', 'Say which image: its name or digest.')
  return name
}

export function basic({ username, password }: { username: string; password: string }): RegistryCredentials {
  return { kind: 'basic', username, password }
}

/** For an image in Berth's own registry, whose repositories are all the operator's; otherwise none. */
async function ownAccess(
  platform: Platform,
  reference: string,
  actions: ('pull' | 'push')[],
): Promise<RegistryCredentials | undefined> {
  const repository = ownRepository(platform.config, reference)
  if (repository === null) return undefined
  const { token } = await issueRegistryToken(platform, {
    viewer: { kind: 'operator' },
    scopes: [`repository:${repository}:${actions.join(',')}`],
  })
  return { kind: 'bearer', token }
}

export function imageRow({ digest, references, sizeBytes, createdAt, config }: Image): ImageRow {
  return { digest, references, sizeBytes, createdAt, labels: config.labels }
}
