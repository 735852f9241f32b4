import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost

beforeAll(async () => {
  const servers = { postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') }
  host = await startTestHost(servers, { diskBytes: 112 * 2 ** 20 })
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
})

test.each([
  ['download', randomBytes(120 * 2 ** 20), 'none'],
  ['unpack', Buffer.alloc(120 * 2 ** 20), 'gzip'],
] as const)(
  'a disk too full to %s an image is said to be full, and what serves serves on',
  async (what, large, compress) => {
    const app = await host.makeApp(await host.push(`small-${what}`))
    await host.untilStatus((await host.deploy(app.id)).id, 'live')
    const bad = await host.deploy(app.id, await host.push(`large-${what}`, { files: { large }, compress }))
    const failed = await host.untilStatus(bad.id, 'failed')
    expect(failed.failure).toMatchObject({
      step: 'pull',
      code: 'disk-full',
      message: expect.stringMatching(/^The host's disk is full: .* Remove what is not needed .*\.$/),
    })
    expect(await host.ask(app)).toMatchObject({ status: 200, body: `small-${what}` })
    // The room is there again for who needs less.
    const next = await host.deploy(app.id, await host.push(`next-${what}`))
    await host.untilStatus(next.id, 'live')
  },
)
