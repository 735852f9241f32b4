import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { until } from '../support/until.ts'

// One person's way through the dashboard, in order: each test goes on where the one before stopped.
let berth: BerthHome
let browser: TestBrowser
let page: Page
let started: Awaited<ReturnType<BerthHome['up']>>
const owner = { name: 'Ada Owner', email: 'ada@example.org', password: 'a long enough password' }
const app = { path: '', url: '' }

beforeAll(async () => {
  berth = await makeBerthHome()
  started = await berth.up()
  browser = await openBrowser()
  page = browser.page
})

afterAll(async () => {
  await browser?.close()
  await berth?.close()
})

async function expectAccessible(what: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const { violations } = await new AxeBuilder({ page }).analyze()
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    expect(grave.map(({ id, nodes }) => `${what}, ${colorScheme}: ${id} at ${nodes[0]?.target}`)).toEqual([])
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

/** Opens a page. Chromium breaks off what it loads when an interface comes or goes, as at each deployment: then again. */
const open = (url: string) => until(`${url} opens`, async () => (await page.goto(url)) !== null)

const button = (name: string | RegExp) => page.getByRole('button', { name })
const untilStatus = (status: string) =>
  page.getByRole('status', { name: 'Status' }).getByText(status, { exact: true }).waitFor()

test('who follows the set-up link becomes the owner, and the link is dead after', async () => {
  await open(started.setupLink ?? '')
  await browser.picture('setup')
  await browser.picture('setup-phone-dark', { width: 390, dark: true })
  await expectAccessible('set-up')
  await page.getByLabel('Your name').fill(owner.name)
  expect(await page.getByLabel('Team name').inputValue()).toBe('Main')
  await page.getByLabel('E-mail').fill(owner.email)
  await page.getByLabel('Password', { exact: true }).fill('short')
  await button('Become the owner').click()
  await page.getByText('At least 12 characters').first().waitFor()
  await page.getByLabel('Password', { exact: true }).fill(owner.password)
  await button('Become the owner').click()
  await page.waitForURL('**/main')
  await page
    .getByRole('link', { name: /Welcome/ })
    .first()
    .waitFor()
  await browser.picture('overview')
  await browser.picture('overview-dark', { dark: true })
  await browser.picture('overview-phone', { width: 390 })
  await expectAccessible('overview')
  const other = await browser.context.newPage()
  await other.goto(started.setupLink ?? '')
  await other.getByText('This installation has an owner').waitFor()
  await other.close()
})

test('an image that skopeo pushed is deployed in the browser, goes live and answers', async () => {
  const reference = `localhost:${berth.port}/main/hello:1`
  await pushWithSkopeo(reference, `${owner.email}:${owner.password}`, {
    entrypoint: [
      '/bin/sh',
      '-c',
      `trap "exit 0" TERM
       echo "hello from $GREETING"
       (n=0; while sleep 1; do n=$((n + 1)); echo "line $n"; done) &
       httpd -f -p $PORT -h /www &
       wait`,
    ],
    files: { 'www/index.html': 'hello from an image of mine' },
  })
  await open(`${started.dashboard}/main/new`)
  await page.getByLabel('Image').fill(reference)
  expect(await page.getByLabel('App name').inputValue()).toBe('hello')
  await page.getByLabel('Name of variable 1').fill('GREETING')
  await page.getByLabel('Value of GREETING').fill('the browser')
  await browser.picture('deploy-form')
  await expectAccessible('deploy form')
  await button('Deploy').click()
  await page.waitForURL(/\/main\/[^/]+\/hello$/)
  await browser.picture('deploying')
  await untilStatus('Running')
  app.path = new URL(page.url()).pathname
  app.url = (await page.getByRole('link', { name: /hello-main\.localhost/ }).getAttribute('href')) ?? ''
  for (const step of [
    'Pull the image',
    'Start containers',
    'Check that they answer',
    'Send them the traffic',
  ])
    await page.getByText(step).first().waitFor()
  await browser.picture('app')
  await browser.picture('app-dark', { dark: true })
  await browser.picture('app-phone', { width: 390 })
  await expectAccessible('app')
  const visitor = await browser.context.newPage()
  await visitor.goto(app.url)
  expect(await visitor.textContent('body')).toContain('hello from an image of mine')
  await visitor.close()
})

test('its log shows what it wrote, and misses and repeats nothing when the web app dies under the page', async () => {
  await open(`${started.dashboard}${app.path}/logs`)
  const log = page.getByRole('log')
  const numbers = async () =>
    (await log.getByText(/^line \d+$/).allTextContents()).map((text) => Number(text.slice('line '.length)))
  await log.getByText('hello from the browser').waitFor()
  await log.getByText('line 2', { exact: true }).waitFor()
  await browser.picture('logs')
  await expectAccessible('logs')
  const { parts } = await berth.status()
  const web = parts.find(({ name }) => name === 'web')?.pid
  if (!web) throw new Error(`no pid of the web app in ${JSON.stringify(parts)}`)
  process.kill(web, 'SIGKILL')
  await page.getByRole('status').getByText('Reconnecting').waitFor()
  const before = (await numbers()).length
  await log.getByText(`line ${before + 3}`, { exact: true }).waitFor()
  const all = await numbers()
  expect(all).toEqual(all.map((_, index) => index + 1))
  expect(await log.getByText('hello from the browser').count()).toBe(1)
})

test('redeploying keeps it answering, and both deployments are listed', async () => {
  await open(`${started.dashboard}${app.path}`)
  await button('Redeploy').click()
  let asked = 0
  const api = `/apps/${await appId()}`
  await until('the second deployment is live', async () => {
    asked++
    expect((await berth.open(app.url)).status).toBe(200)
    const { body } = await berth.api('GET', api)
    const { latestDeployment } = body as { latestDeployment: { number: number; status: string } }
    return latestDeployment.number === 2 && latestDeployment.status === 'live'
  })
  expect(asked).toBeGreaterThan(5)
  await open(`${started.dashboard}${app.path}/deployments`)
  await page.getByText('#2').first().waitFor()
  await page.getByText('#1').first().waitFor()
  await browser.picture('deployments')
  await expectAccessible('deployments')
})

test('a wrong image name ends failed, with the cause and advice, and the app goes on', async () => {
  await open(`${started.dashboard}${app.path}/settings`)
  await page.getByLabel('Image').fill(`localhost:${berth.port}/main/hello:no-such-tag`)
  await browser.picture('settings')
  await button('Save changes').click()
  await page.getByText('Saved').first().waitFor()
  await open(`${started.dashboard}${app.path}`)
  await button('Redeploy').click()
  await page.getByText('There is no such image').first().waitFor()
  await browser.picture('failed')
  await browser.picture('failed-dark', { dark: true })
  await expectAccessible('failed deployment')
  expect((await berth.open(app.url)).body).toContain('hello from an image of mine')
})

test('the dashboard speaks Chinese', async () => {
  await browser.context.addCookies([{ name: 'berth-locale', value: 'zh-CN', url: started.dashboard ?? '' }])
  await open(`${started.dashboard}/main`)
  expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN')
  await browser.picture('overview-zh')
  await open(`${started.dashboard}${app.path}`)
  await browser.picture('app-zh-dark', { dark: true })
  await browser.context.addCookies([{ name: 'berth-locale', value: 'en', url: started.dashboard ?? '' }])
})

test('deleting asks for the name, and then the address is unknown', async () => {
  await open(`${started.dashboard}${app.path}`)
  await button('App menu').click()
  await page.getByRole('menuitem', { name: 'Delete app' }).click()
  const dialog = page.getByRole('dialog')
  const confirm = dialog.getByRole('button', { name: 'Delete app' })
  expect(await confirm.isDisabled()).toBe(true)
  await dialog.getByRole('textbox').fill('hello')
  await browser.picture('delete')
  await confirm.click()
  await until('its address is unknown', async () => (await berth.open(app.url)).status === 404)
})

test('who signs out is out, and signs in again', async () => {
  await open(`${started.dashboard}/account`)
  await browser.picture('account')
  await expectAccessible('account')
  await button(/Account menu/)
    .first()
    .click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL('**/sign-in**')
  await open(`${started.dashboard}/main`)
  await page.waitForURL('**/sign-in**')
  await browser.picture('sign-in')
  await browser.picture('sign-in-phone-dark', { width: 390, dark: true })
  await expectAccessible('sign-in')
  await page.getByLabel('E-mail').fill(owner.email)
  await page.getByLabel('Password', { exact: true }).fill('not the password')
  await button('Sign in').click()
  await page.getByText('The e-mail address or the password is not right.').waitFor()
  await page.getByLabel('Password', { exact: true }).fill(owner.password)
  await button('Sign in').click()
  await page.waitForURL('**/main')
})

async function appId(): Promise<string> {
  const { body } = await berth.api('GET', '/teams/main/apps')
  const found = (body as { data: { id: string; slug: string }[] }).data.find(({ slug }) => slug === 'hello')
  if (!found) throw new Error('there is no app hello')
  return found.id
}
