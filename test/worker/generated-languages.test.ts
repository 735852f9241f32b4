/**
 * Real small applications without a Dockerfile, one for each language: built, and asked over HTTP. Their base images are
 * made on the spot, which takes its time: by itself only a few are built; BERTH_TEST_LANGUAGES=all builds every one,
 * BERTH_TEST_LANGUAGES=go,rust these.
 */
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readBuildLog } from '../../platform/builds/build-log.ts'
import { createBuild } from '../../platform/builds/create-build.ts'
import { getDeployment } from '../../platform/deployments.ts'
import { isInProgress } from '../../platform/model/deployment-status.ts'
import { makeTar } from '../support/images.ts'
import { applications } from '../support/language-applications.ts'
import { type LanguageImageName, languageImages } from '../support/language-images.ts'
import { operator } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

/** Why there is no application of these. */
const untested = {
  'Nuxt, SvelteKit, Remix; Rails, Laravel, Spring Boot, Quarkus': 'their Dockerfiles are compared as text',
  '.NET': 'Debian has no .NET, and npm neither; its Dockerfile is compared as text',
  'uv, Poetry, Pipenv':
    'they are installed from PyPI, which may be out of reach, even where Debian has them; compared as text',
  'packages of PyPI, RubyGems, crates.io, Packagist, Maven Central, Go':
    'their registries may be out of reach: packages come from Debian, or the standard library does',
}

const asked = (process.env.BERTH_TEST_LANGUAGES ?? '').split(',').filter((name) => name !== '')
const isAsked = (name: string) =>
  asked.length === 0 ? applications[name]?.isQuick === true : asked.includes('all') || asked.includes(name)
const chosen = Object.keys(applications).filter(isAsked)

let host: TestHost
const pushed = new Map<string, Promise<string>>()

beforeAll(async () => {
  const left = Object.keys(applications).filter((name) => !chosen.includes(name))
  if (left.length > 0)
    console.info(`left out: ${left.join(', ')} (they take minutes; BERTH_TEST_LANGUAGES=all builds them)`)
  for (const [name, why] of Object.entries(untested)) console.info(`not tested: ${name}: ${why}`)
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  const own = `${host.berth.config.registryHost}/acme`
  const names = new Set(Object.values(languageImages).map(({ name }) => name))
  host.berth.environment.BERTH_BUILD_IMAGES = [...names]
    .map((name) => `${name}=${own}/${name}:{version}`)
    .join(',')
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
})

/** npm and apt fetch what they need, which takes as long as it takes. */
const longMs = 300_000

function push(wanted: LanguageImageName): Promise<string> {
  const { name, version, make } = languageImages[wanted]
  const made =
    pushed.get(wanted) ??
    make().then((spec) => host.push(`${name}:${version}`, { ...spec, entrypoint: undefined, files: {} }))
  pushed.set(wanted, made)
  return made
}

test.each(chosen)(
  '%s: source without a Dockerfile is built and answers',
  async (name) => {
    const application = applications[name]
    if (application === undefined) return
    for (const image of application.needs) await push(image)
    const app = await host.makeApp(`${host.berth.config.registryHost}/acme/none:latest`, {
      limits: { memoryBytes: 512 * 2 ** 20, cpuMillis: 1_000, pids: 200 },
    })
    const entries = Object.entries(application.files).map(([path, content]) => ({ name: path, content }))
    const body = Readable.toWeb(Readable.from([await makeTar(entries)])) as ReadableStream<Uint8Array>
    const { id } = await createBuild(host.berth.platform, operator, app.id, { format: 'tar', body })
    const over = await until(
      'the deployment is over',
      async () => {
        const now = await getDeployment(host.berth.platform, operator, id)
        return !isInProgress(now.status) && now
      },
      longMs,
    )
    const lines = (await readBuildLog(host.berth.platform, operator, id)).lines.map(({ text }) => text)
    expect(over.build?.generated?.what).toMatch(application.what)
    expect(over.status, `${JSON.stringify(over.failure)}\n${lines.join('\n')}`).toBe('live')
    const answer = await host.ask(app, application.path ?? '/')
    expect(answer.status).toBe(200)
    expect(answer.body).toMatch(application.says)
  },
  2 * longMs,
)
