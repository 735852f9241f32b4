import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BerthHome } from '../support/berth-home.ts'
import type { TestBrowser } from '../support/browser.ts'
import { type OwnedDashboard, startAsOwner, type WelcomeApp } from '../support/dashboard.ts'
import { until } from '../support/until.ts'
import { startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

// How a deployment fails and what is told of it, in the browser; tests go on where the last stopped.
let berth: BerthHome
let browser: TestBrowser
let receiver: WebhookReceiver
let page: Page
let dashboard: OwnedDashboard
let app: WelcomeApp

beforeAll(async () => {
  receiver = await startReceiver()
  // This machine's receiver may be told.
  process.env.BERTH_PRIVATE_HOSTS = '127.0.0.1'
  dashboard = await startAsOwner().finally(() => delete process.env.BERTH_PRIVATE_HOSTS)
  ;({ berth, browser, page, app } = dashboard)
})

afterAll(async () => {
  await dashboard?.close()
  await receiver?.close()
})

const at = (path: string) => dashboard.at(path)
const button = (name: string | RegExp) => page.getByRole('button', { name })
const speak = (locale: 'en' | 'zh-CN') => browser.speak(locale, dashboard.url)

const look = (name: string, path: string) => browser.lookInBoth(name, `${dashboard.url}${path}`)

async function latest(): Promise<{ number: number; status: string }> {
  const { body } = await berth.api('GET', `/apps/${app.id}`)
  return (body as { latestDeployment: { number: number; status: string } }).latestDeployment
}

async function redeploy(status: string): Promise<number> {
  const { number } = await latest()
  await at(app.path)
  await button('Redeploy').click()
  await until(`it is ${status}`, async () => {
    const now = await latest()
    return now.number === number + 1 && now.status === status
  })
  return number + 1
}

async function setHealth(status: string): Promise<void> {
  await at(`${app.path}/settings`)
  await page.getByLabel('Health check path', { exact: true }).fill(status === '' ? '' : '/')
  await page.getByLabel('Expected status').fill(status)
  await page.getByLabel('First answer within').fill('3')
  await button('Save changes').click()
  await page.getByText('Saved').first().waitFor()
}

test('the page of a failure says the step, the cause, what was asked and answered, and that the app serves on', async () => {
  await setHealth('418')
  const number = await redeploy('failed')
  const path = `${app.path}/deployments/${number}`
  await at(path)
  const failure = page.getByRole('alert', { name: 'Why it failed' })
  await failure.getByText('The app did not answer its health check').waitFor()
  await failure.getByText('/ answered 200, not 418').waitFor()
  await failure.getByText(/^Step: /).waitFor()
  const steps = page.getByRole('list', { name: 'Steps' })
  expect(await steps.getByRole('listitem').allTextContents()).toEqual([
    expect.stringContaining('(done)'),
    expect.stringContaining('(done)'),
    expect.stringContaining('(failed)'),
  ])
  await page.getByText('/ → 418').waitFor()
  await look('failure', path)
  await speak('zh-CN')
  await at(path)
  await page.getByText('/ 返回 200，而不是 418').waitFor()
  await speak('en')
  await at(app.path)
  await page.getByText('The app did not answer its health check').waitFor()
  const { status } = await berth.open((await appView()).urls[0] ?? '')
  expect(status).toBe(200)
  await look('app-after-failure', app.path)
})

async function appView(): Promise<{ urls: string[] }> {
  return (await berth.api('GET', `/apps/${app.id}`)).body as { urls: string[] }
}

const rows = () => page.getByRole('list', { name: 'Timeline' }).getByRole('listitem')
const filter = (name: string) => page.getByRole('navigation', { name: 'Show' }).getByRole('link', { name })

test('the timeline goes on by itself, and shows one area when asked to', async () => {
  await at(`${app.path}/timeline`)
  await rows().getByText('Settings were changed').first().waitFor()
  await rows()
    .getByText(/^Deployment #\d+ failed$/)
    .waitFor()
  await rows().getByText('Expected status').first().waitFor()
  await look('timeline', `${app.path}/timeline`)
  await filter('Scaling').click()
  await page.waitForURL('**/timeline?kind=scaling')
  await page.getByText('Nothing of this kind happened yet.').waitFor()

  await setHealth('')
  await redeploy('live')
  await at(`${app.path}/timeline?kind=scaling`)
  await page.getByText('Nothing of this kind happened yet.').waitFor()
  // Somebody else scales it while this page is open: nobody loads it anew.
  await page.evaluate(() => Object.assign(window, { isTheSame: true }))
  expect((await berth.api('POST', `/apps/${app.id}/scale`, { replicas: 2 })).status).toBe(202)
  await rows().getByText('Scaled', { exact: true }).waitFor()
  expect(await rows().count()).toBe(1)
  expect(await page.evaluate(() => 'isTheSame' in window)).toBe(true)
  await filter('Deployments').click()
  await rows()
    .getByText(/is live/)
    .first()
    .waitFor()
  expect(await rows().getByText('Scaled', { exact: true }).count()).toBe(0)
  await filter('Everything').click()
  await rows().getByText('Scaled', { exact: true }).waitFor()
})

test('a channel tells of a failure; its log shows each attempt with its answer, and what failed is sent again', async () => {
  await at('/main/settings/notifications')
  await button('New channel').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Pager')
  await dialog.getByLabel('Address').fill(`${receiver.url}/hook`)
  await dialog.getByRole('button', { name: 'New channel' }).click()
  // The page behind shows it, and its key is still there to be copied.
  await page.getByText('Pager', { exact: true }).waitFor()
  expect(await dialog.getByRole('textbox').inputValue()).toMatch(/^whsec_/)
  await dialog.getByRole('button', { name: 'Done' }).click()

  const deliveries = page.getByRole('region', { name: 'Deliveries' }).locator('> ul > li')
  await button('Menu of Pager').click()
  await page.getByRole('menuitem', { name: 'Send a test' }).click()
  // Who sends a test wants to know how it went.
  await deliveries.getByText('Delivered', { exact: true }).waitFor()
  await deliveries.getByText(/^1 attempt/).waitFor()
  await deliveries.getByText(/HTTP 200 \d+ ms · thanks/).waitFor()
  expect(JSON.parse(receiver.received[0]?.body ?? '{}')).toMatchObject({ type: 'test' })

  receiver.respond((_, response) => void response.writeHead(500).end('the pager is broken'))
  const log = page.url().replace(dashboard.url, '')
  await setHealth('418')
  await redeploy('failed')
  await at(log)
  const failed = deliveries.filter({ hasText: 'deployment.failed' })
  await failed.getByText('Waiting', { exact: true }).waitFor()
  await failed
    .getByText(/HTTP 500 \d+ ms · the pager is broken/)
    .first()
    .waitFor()
  await look('deliveries', log)
  receiver.respond((_, response) => void response.end('understood'))
  // The page goes on by itself until nothing waits.
  await failed.getByText('Delivered', { exact: true }).waitFor()
  await failed.getByText(/· understood/).waitFor()
  const told = receiver.received.filter(({ body }) => JSON.parse(body).type === 'deployment.failed')
  expect(JSON.parse(told.at(-1)?.body ?? '{}')).toMatchObject({
    data: { event: { code: 'unhealthy', step: 'check' }, app: { id: app.id } },
  })
  expect(new Set(told.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  await failed.getByRole('button', { name: 'Send again' }).click()
  await failed.getByText(/^1 attempt/).waitFor()
  await until('it came once more', () => receiver.received.length > told.length + 1)
})

test('an app whose volume one container may hold: that nothing answers for a moment is said before it happens', async () => {
  const volume = { name: 'data', mountPath: '/data', sizeBytes: 2 ** 25 }
  await berth.api('POST', `/apps/${app.id}/scale`, { replicas: 1 })
  await until('one container holds the volume', async () => {
    return (await berth.api('POST', `/apps/${app.id}/volumes`, volume)).status === 201
  })
  await at(app.path)
  await button('Redeploy').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/the old one is stopped before the new one starts/).waitFor()
  await browser.pictures('gap')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await at(`${app.path}/settings`)
  await page
    .getByText(/the old one is stopped before the new one starts/)
    .first()
    .waitFor()
})
