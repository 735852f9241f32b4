import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readBuildLog } from '../../platform/builds/build-log.ts'
import { createBuild } from '../../platform/builds/create-build.ts'
import { getDeployment } from '../../platform/deployments.ts'
import { isInProgress } from '../../platform/model/deployment-status.ts'
import type { App, Deployment } from '../../platform/model/resources.ts'
import { makeTar } from '../support/images.ts'
import { npmImage } from '../support/npm-image.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  const spec = await npmImage()
  await host.push('node:24', { ...spec, entrypoint: undefined, files: {} })
  const own = `${host.berth.config.registryHost}/acme`
  host.berth.environment.BERTH_BUILD_IMAGES = `node=${own}/node:24`
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
})

async function upload(app: App, files: Record<string, string>): Promise<Deployment> {
  const entries = Object.entries(files).map(([name, content]) => ({ name, content }))
  const body = Readable.toWeb(Readable.from([await makeTar(entries)])) as ReadableStream<Uint8Array>
  return createBuild(host.berth.platform, operator, app.id, { format: 'tar', body })
}

/** npm fetches from its registry, which takes as long as it takes. */
const longMs = 240_000

async function untilLive(id: string): Promise<Deployment> {
  const over = await until(
    'the deployment is over',
    async () => {
      const now = await getDeployment(host.berth.platform, operator, id)
      return !isInProgress(now.status) && now
    },
    longMs,
  )
  const { lines } = await readBuildLog(host.berth.platform, operator, id)
  expect(over.status, lines.map(({ text }) => text).join('\n')).toBe('live')
  return over
}

const makeApp = () => host.makeApp(`${host.berth.config.registryHost}/acme/none:latest`)

test(
  'source without a Dockerfile is taken for what it is, built with its packages, and serves',
  async () => {
    const app = await makeApp()
    const files = {
      'package.json': JSON.stringify({
        name: 'shop',
        dependencies: { ms: '2.1.3' },
        scripts: { start: 'node server.js', build: 'echo built > built.txt' },
      }),
      'server.js': [
        "const say = require('ms')(60000) + ' ' + require('fs').readFileSync('built.txt', 'utf8').trim()",
        "const who = ' as ' + process.getuid() + ' ' + require('fs').existsSync('.env')",
        "require('http').createServer((_, answer) => answer.end(say + who)).listen(process.env.PORT)",
      ].join('\n'),
      '.env': 'TOKEN=do-not-tell',
    }
    const { id } = await upload(app, files)
    const live = await untilLive(id)
    expect(await host.ask(app)).toMatchObject({ status: 200, body: '1m built as 1000 false' })
    expect(live.build?.generated).toMatchObject({
      what: 'Node.js 24, npm',
      dockerfile: expect.stringContaining('RUN npm install --no-audit --no-fund\n'),
    })
    const said = (await readBuildLog(host.berth.platform, operator, id)).lines.map(({ text }) => text)
    expect(said).toContain(
      'There is no Dockerfile: the source was taken for Node.js 24, npm, and one was made for it.',
    )
    // What is the same is taken from what the first build left: only the page is new.
    const next = await upload(app, { ...files, 'server.js': files['server.js'].replace('1m', '2m') })
    await untilLive(next.id)
    const again = (await readBuildLog(host.berth.platform, operator, next.id)).lines.map(({ text }) => text)
    const install = again.findIndex((text) => text.includes('RUN npm install'))
    expect(again[install + 1]).toMatch(/Using cache/)
  },
  2 * longMs,
)

test('what is not understood ends with what was looked for, and what is missing is said', async () => {
  const app = await makeApp()
  const unknown = await upload(app, { 'notes/README': '', 'main.c': '' })
  const { failure } = await host.untilStatus(unknown.id, 'failed')
  expect(failure).toMatchObject({ step: 'build', code: 'build-not-understood' })
  expect(failure?.message).toMatch(/package\.json .*; index\.html.*There is: main\.c, notes\/\./)
  const bare = await upload(app, { 'package.json': '{}' })
  const ended = await host.untilStatus(bare.id, 'failed')
  expect(ended.failure?.message).toMatch(/^There is a package\.json, and nothing says what to start/)
  expect((await getDeployment(host.berth.platform, operator, bare.id)).build?.generated).toBeNull()
})

test('a Dockerfile that the settings name is not replaced by one that is made', async () => {
  const app = await makeApp()
  const entries = [
    { name: 'package.json', content: '{"main":"a.js"}' },
    { name: 'a.js', content: '' },
  ]
  const body = Readable.toWeb(Readable.from([await makeTar(entries)])) as ReadableStream<Uint8Array>
  const asked = { format: 'tar' as const, body, dockerfile: 'docker/Dockerfile' }
  const { id } = await createBuild(host.berth.platform, operator, app.id, asked)
  expect((await host.untilStatus(id, 'failed')).failure?.code).toBe('dockerfile-missing')
})
