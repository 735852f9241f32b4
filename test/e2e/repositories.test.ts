import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { App, Deployment } from '../../platform/model/resources.ts'
import { becomeOwner, type Dashboard, owner, startDashboard } from '../support/dashboard.ts'
import { pushImage } from '../support/images.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { startRegistry, type TestRegistry } from '../support/registry.ts'
import { until } from '../support/until.ts'
import { webServer } from '../support/worker.ts'

// What an owner does with the team's images, in order: each test goes on where the one before stopped.
let dashboard: Dashboard
let page: Page
let elsewhere: TestRegistry
let own: string

beforeAll(async () => {
  dashboard = await startDashboard()
  page = dashboard.browser.page
  own = `localhost:${dashboard.berth.port}`
  elsewhere = await startRegistry()
  const listed = { [elsewhere.host]: {} }
  await writeFile(join(dashboard.berth.home, 'registries.json'), JSON.stringify(listed))
  await restartWorker()
  await becomeOwner(dashboard)
  await pushWithSkopeo(`${own}/main/shop:v1.0`, `${owner.email}:${owner.password}`, site('1.0'))
})

afterAll(async () => {
  await dashboard?.close()
  await elsewhere?.stop()
})

/** It reads when it starts which registries it may ask inside of this host. */
async function restartWorker(): Promise<void> {
  const find = async () => (await dashboard.berth.status()).parts.find(({ name }) => name === 'worker')?.pid
  const before = await find()
  if (!before) throw new Error('there is no worker')
  process.kill(before, 'SIGTERM')
  await until('another worker is there', async () => {
    const now = await find()
    return now && now !== before
  })
}

const at = (path: string) => dashboard.browser.open(`${dashboard.url}${path}`)
const button = (name: string) => page.getByRole('button', { name, exact: true })
const site = (version: string) => ({
  entrypoint: webServer,
  files: { 'www/index.html': `version ${version}` },
})

/** The page in both languages and themes. */
async function look(name: string, path: string): Promise<void> {
  await dashboard.browser.look(name)
  await dashboard.browser.lookInChinese(name, `${dashboard.url}${path}`)
  await at(path)
}

async function choose(label: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: label }).click()
  await page.getByRole('option', { name: option, exact: true }).click()
}

async function read<Thing>(path: string): Promise<Thing> {
  return (await dashboard.berth.api('GET', path)).body as Thing
}

/** An app of this image, in a project of its own, whose first deployment is live. */
async function deployApp(name: string, image: string): Promise<App> {
  const api = async <Made>(path: string, input: object) =>
    (await dashboard.berth.api('POST', path, input)).body as Made
  const project = await api<{ id: string }>('/teams/main/projects', { name, slug: name })
  const app = await api<App>(`/projects/${project.id}/apps`, { name, slug: 'web', settings: { image } })
  await api(`/apps/${app.id}/deployments`, {})
  await untilRuns(app, image.split(':').at(-1) ?? '')
  return app
}

/** Until its latest deployment, of this tag, is live. */
const untilRuns = (app: App, tag: string) =>
  until(`${tag} runs`, async () => {
    const { latestDeployment } = await read<App>(`/apps/${app.id}`)
    if (latestDeployment?.status !== 'live') return false
    const { image } = await read<Deployment>(`/deployments/${latestDeployment.id}`)
    return image.endsWith(`:${tag}`)
  })

/** More names for what v1.0 names. */
async function addTags(names: string[]): Promise<void> {
  const scope = 'repository:main/shop:pull,push'
  const asked = await fetch(`${dashboard.url}/api/registry/token?service=berth-registry&scope=${scope}`, {
    headers: { authorization: `Basic ${btoa(`${owner.email}:${owner.password}`)}` },
  })
  const authorization = `Bearer ${((await asked.json()) as { token: string }).token}`
  const base = `${dashboard.url}/v2/main/shop/manifests`
  const type = 'application/vnd.oci.image.manifest.v1+json'
  const found = await fetch(`${base}/v1.0`, { headers: { authorization, accept: type } })
  const body = await found.text()
  for (const name of names) {
    const headers = { authorization, 'content-type': type }
    const { status } = await fetch(`${base}/${name}`, { method: 'PUT', headers, body })
    expect([name, status]).toEqual([name, 201])
  }
}

test('a repository with many tags is read page by page, and none is missing', async () => {
  const names = Array.from({ length: 55 }, (_, i) => `build-${i}`)
  await addTags(names)
  await until('the pushes are seen', async () => {
    const { data } = await read<{ data: { tagCount: number }[] }>('/teams/main/repositories')
    return data[0]?.tagCount === 56
  })
  await at('/main/repositories')
  await page.getByRole('link', { name: 'shop' }).click()
  const tags = page.getByRole('list', { name: 'Tags' }).getByRole('listitem')
  await tags.first().waitFor()
  expect(await tags.count()).toBe(50)
  await look('repository', '/main/repositories/shop')
  const named = async () =>
    (await tags.getByRole('link').allTextContents()).filter((text) => /^(build|v1)/.test(text))
  const first = await until('the first page is there', async () => {
    const found = await named()
    return found.length === 50 && found
  })
  await page.getByRole('link', { name: 'More' }).click()
  await page.waitForURL(/cursor=/)
  await until('the others are there', async () => (await tags.count()) === 6)
  expect([...first, ...(await named())].sort()).toEqual([...names, 'v1.0'].sort())
  await page.getByRole('link', { name: 'v1.0', exact: true }).click()
  await page.getByRole('heading', { name: 'Layers' }).waitFor()
  await look('image', new URL(page.url()).pathname + new URL(page.url()).search)
})

test('an app follows what is pushed to Berth’s own registry', async () => {
  const app = await deployApp('own', `${own}/main/shop:v1.0`)
  await at('/main/own/web/settings')
  await choose('Follow', 'Tags of a pattern')
  await page.getByLabel('Pattern').fill('v 1')
  await button('What would run now?').click()
  await page.getByText(/tag in which \* stands/).waitFor()
  await page.getByLabel('Pattern').fill('v1.*')
  await button('What would run now?').click()
  await page.getByText(/^Now it would be v1\.0 \(/).waitFor()
  expect(await page.getByRole('combobox', { name: 'Ask the registry' }).count()).toBe(0)
  await button('Follow').click()
  await page.getByText('Saved').waitFor()
  await page.getByText(/^Last: v1\.0 /).waitFor()
  await look('follow-own', '/main/own/web/settings')
  await pushWithSkopeo(`${own}/main/shop:v1.1`, `${owner.email}:${owner.password}`, site('1.1'))
  await untilRuns(app, 'v1.1')
  expect((await dashboard.berth.open(app.urls[0] ?? '')).body).toBe('version 1.1')
  await at('/main/own/web/settings')
  await page.getByText(/^Last: v1\.1 /).waitFor()
  await button('Stop following').click()
  await button('Follow').waitFor()
  expect((await read<App>(`/apps/${app.id}`)).settings.follow).toBeNull()
})

test('an app follows a registry elsewhere, which is asked; what is wrong with that is said at the field', async () => {
  await pushImage(elsewhere, 'firm/shop:1.0.0', site('1.0.0'))
  const app = await deployApp('elsewhere', `${elsewhere.host}/firm/shop:1.0.0`)
  const path = '/main/elsewhere/web/settings'
  await at(path)
  await page.getByRole('combobox', { name: 'Follow' }).click()
  expect(await page.getByRole('option').allTextContents()).toEqual(['One tag', 'Versions in a range'])
  await page.getByRole('option', { name: 'Versions in a range' }).click()
  await page.getByLabel('Range').fill('one or two')
  await button('Follow').click()
  await page.getByText(/range of versions such as/i).waitFor()
  await page.getByLabel('Range').fill('^2')
  await button('What would run now?').click()
  await page.getByText('Nothing fits yet.').waitFor()
  await page.getByLabel('Range').fill('^1')
  await choose('Ask the registry', 'Every minute')
  await button('Follow').click()
  await page.getByText('Saved').waitFor()
  await look('follow-elsewhere', path)
  const { settings } = await read<App>(`/apps/${app.id}`)
  expect(settings.follow).toMatchObject({ by: 'version', value: '^1', intervalSeconds: 60 })
  await pushImage(elsewhere, 'firm/shop:1.1.0', site('1.1.0'))
  await until(
    'it was found and runs',
    async () => (await dashboard.berth.open(app.urls[0] ?? '')).body === 'version 1.1.0',
    150_000,
  )
  await at(path)
  await page.getByText(/^Last: 1\.1\.0 /).waitFor()
  await page.getByText('The registry was asked').waitFor()
  await elsewhere.stop()
  await button('What would run now?').click()
  await page.getByText(/does not answer|refuses the connection/).waitFor()
  await look('follow-trouble', path)
})
