import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createApp } from '../../platform/apps.ts'
import { createDeployment } from '../../platform/deployments.ts'
import {
  createRegistryLogin,
  deleteRegistryLogin,
  listRegistryLogins,
} from '../../platform/registries/logins.ts'
import { pushImage } from '../support/images.ts'
import { operator } from '../support/platform.ts'
import { startRegistry, type TestRegistry } from '../support/registry.ts'
import { quickSettings, startTestHost, type TestHost, webServer } from '../support/worker.ts'

// A private registry elsewhere: CNCF Distribution, which lets in who is in its file of passwords.
const login = { username: 'u', password: 'p' }
const authorization = `Basic ${btoa('u:p')}`

let host: TestHost
let elsewhere: TestRegistry
let image: string

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  elsewhere = await startRegistry({
    htpasswd: 'u:$2b$05$abcdefghijklmnopqrstuuqwWMzKt5N8p.u2GX5MuH1t19BMWuLOW\n',
  })
  await writeFile(join(host.berth.config.home, 'registries.json'), JSON.stringify({ [elsewhere.host]: {} }))
  const spec = { entrypoint: webServer, files: { 'www/index.html': 'from elsewhere' } }
  await pushImage(elsewhere, 'firm/shop:1', spec, authorization)
  image = `${elsewhere.host}/firm/shop:1`
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
  await elsewhere?.stop()
})

/** The image as an app of this team's, deployed. */
async function deployFor(teamId: string) {
  const { platform } = host.berth
  const { projectId } = await host.berth.makeApp(teamId)
  const settings = { ...quickSettings, image }
  const app = await createApp(platform, operator, projectId, { name: 'Shop', settings })
  const { id } = await createDeployment(platform, operator, app.id, {})
  return { app, ended: await host.untilStatus(id, 'live', 'failed') }
}

const isDenied = {
  status: 'failed',
  failure: { step: 'pull', code: 'image-access-denied', message: expect.stringContaining('localhost:') },
}

test('a team pulls from a private registry elsewhere with the login that it keeps, and no other team does', async () => {
  const { platform } = host.berth
  expect((await deployFor(host.teamId)).ended).toMatchObject(isDenied)

  const kept = await createRegistryLogin(platform, operator, host.teamId, { host: elsewhere.host, ...login })
  const { app, ended } = await deployFor(host.teamId)
  expect(ended).toMatchObject({ status: 'live', failure: null })
  expect((await host.ask(app)).body).toBe('from elsewhere')

  // The image is on this host now, which gives nobody else a right to it.
  const other = await host.berth.makeTeam('Other')
  expect((await deployFor(other.id)).ended).toMatchObject(isDenied)

  await deleteRegistryLogin(platform, operator, kept.id)
  expect((await deployFor(host.teamId)).ended).toMatchObject(isDenied)
  // What runs already goes on.
  expect((await host.ask(app)).body).toBe('from elsewhere')
})

test('a login that the registry takes no longer says so where it is kept, and the deployment says which', async () => {
  const { platform } = host.berth
  await createRegistryLogin(platform, operator, host.teamId, { host: elsewhere.host, ...login })
  await writeFile(
    join(elsewhere.folder, 'htpasswd'),
    'other:$2b$05$abcdefghijklmnopqrstuuqwWMzKt5N8p.u2GX5MuH1t19BMWuLOW\n',
  )
  expect((await deployFor(host.teamId)).ended).toMatchObject({
    status: 'failed',
    failure: { step: 'pull', code: 'registry-denied', message: expect.stringContaining('login u') },
  })
  const [shown] = await listRegistryLogins(platform, operator, host.teamId)
  expect(shown).toMatchObject({ host: elsewhere.host, problem: expect.stringContaining('refused') })
})
