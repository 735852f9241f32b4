import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { owner as ada, type Dashboard, startDashboard } from '../support/dashboard.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { until } from '../support/until.ts'

// One person's way through the dashboard, in order: each test goes on where the one before stopped.
let dashboard: Dashboard
let browser: TestBrowser
let page: Page
const owner = { ...ada }
const app = { path: '', url: '' }

beforeAll(async () => {
  dashboard = await startDashboard()
  browser = dashboard.browser
  page = browser.page
})

afterAll(() => dashboard?.close())

const open = (url: string) => browser.open(url)
const at = (path: string) => open(`${dashboard.url}${path}`)
const look = (name: string) => browser.look(name)
const button = (name: string | RegExp) => page.getByRole('button', { name })
const untilStatus = (status: string) =>
  page.getByRole('status', { name: 'Status' }).getByText(status, { exact: true }).waitFor()

test('who follows the set-up link becomes the owner, and the link is dead after', async () => {
  await open(dashboard.setupLink)
  await look('set-up')
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
  await look('overview')
  const other = await browser.context.newPage()
  await other.goto(dashboard.setupLink)
  await other.getByText('This installation has an owner').waitFor()
  await other.close()
})

test('an image that skopeo pushed is deployed in the browser, goes live and answers', async () => {
  const reference = `localhost:${dashboard.berth.port}/main/hello:1`
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
  await at('/main/new')
  await page.getByLabel('Image', { exact: true }).fill(reference)
  expect(await page.getByLabel('App name').inputValue()).toBe('hello')
  await page.getByLabel('Name of variable 1').fill('GREETING')
  await page.getByLabel('Value of GREETING').fill('the browser')
  await look('deploy-form')
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
  await look('app')
  const visitor = await browser.context.newPage()
  await visitor.goto(app.url)
  expect(await visitor.textContent('body')).toContain('hello from an image of mine')
  await visitor.close()
})

test('its log shows what it wrote, and misses and repeats nothing when the web app dies under the page', async () => {
  await at(`${app.path}/logs`)
  const log = page.getByRole('log')
  const numbers = async () =>
    (await log.getByText(/^line \d+$/).allTextContents()).map((text) => Number(text.slice('line '.length)))
  await log.getByText('hello from the browser').waitFor()
  await log.getByText('line 2', { exact: true }).waitFor()
  await look('logs')
  const { parts } = await dashboard.berth.status()
  const web = parts.find(({ name }) => name === 'web')?.pid
  if (!web) throw new Error(`no pid of the web app in ${JSON.stringify(parts)}`)
  process.kill(web, 'SIGKILL')
  await page.getByRole('status').getByText('Reconnecting').waitFor()
  const before = (await numbers()).length
  await log.getByText(`line ${before + 3}`, { exact: true }).waitFor()
  const all = await numbers()
  // Those that are far out of sight are not drawn.
  expect(all).toEqual(all.map((_, index) => (all[0] ?? 0) + index))
  expect(await log.getByText('hello from the browser').count()).toBe(1)
})

test('redeploying keeps it answering, and both deployments are listed', async () => {
  await at(app.path)
  await button('Redeploy').click()
  let asked = 0
  const api = `/apps/${await appId()}`
  await until('the second deployment is live', async () => {
    asked++
    expect((await dashboard.berth.open(app.url)).status).toBe(200)
    const { body } = await dashboard.berth.api('GET', api)
    const { latestDeployment } = body as { latestDeployment: { number: number; status: string } }
    return latestDeployment.number === 2 && latestDeployment.status === 'live'
  })
  expect(asked).toBeGreaterThan(2)
  await at(`${app.path}/deployments`)
  await page.getByText('#2').first().waitFor()
  await page.getByText('#1').first().waitFor()
  await look('deployments')
})

test('it is scaled without a deployment: what it uses is beside, mistakes are said, new replicas are listed', async () => {
  await at(app.path)
  const memory = page.getByLabel('Memory of each')
  await memory.fill('1')
  await button('Scale').click()
  await page.getByText('At least 8 MiB').waitFor()
  await look('scale-mistake')
  await memory.fill('96')
  await button('One replica more').click()
  expect(await page.getByLabel('Replicas', { exact: true }).inputValue()).toBe('2')
  await button('Scale').click()
  await page.getByText('Being scaled to 2 replicas with 96 MiB and 1 CPU each').waitFor()
  await browser.picture('scaling')
  await page.getByText('Replica 2').waitFor()
  await page.getByText('Being scaled').waitFor({ state: 'detached' })
  await until('what it uses is shown', async () => {
    await page.reload()
    return (await page.getByText(/The fullest uses [\d.]+ (KiB|MiB)/).count()) === 1
  })
  expect(await memory.inputValue()).toBe('96')
  await look('scaled')
  await at(`${app.path}/timeline`)
  await page.getByText('Scaled', { exact: true }).waitFor()
  await browser.picture('timeline-scaled')
})

test('a wrong image name ends failed, with the cause and advice, and the app goes on', async () => {
  await at(`${app.path}/settings`)
  await page
    .getByLabel('Image', { exact: true })
    .fill(`localhost:${dashboard.berth.port}/main/hello:no-such-tag`)
  await look('app-settings')
  await button('Save changes').click()
  await page.getByText('Saved').first().waitFor()
  await at(app.path)
  await button('Redeploy').click()
  await page.getByText('There is no such image').first().waitFor()
  await look('failed')
  expect((await dashboard.berth.open(app.url)).body).toContain('hello from an image of mine')
})

test('every page speaks Chinese, and none is wider than a phone', async () => {
  const [, , project] = app.path.split('/')
  const pages = {
    overview: '/main',
    project: `/main/${project}`,
    app: app.path,
    deployments: `${app.path}/deployments`,
    deployment: `${app.path}/deployments/1`,
    failed: `${app.path}/deployments/3`,
    logs: `${app.path}/logs`,
    variables: `${app.path}/variables`,
    'app-settings': `${app.path}/settings`,
    registries: '/main/settings/registries',
    audit: '/main/settings/audit',
    notifications: '/main/settings/notifications',
    'log-drains': '/main/settings/log-drains',
    'deploy-form': '/main/new',
    repositories: '/main/repositories',
    repository: '/main/repositories/hello',
    'team-settings': '/main/settings',
    'deleted-teams': '/account/deleted-teams',
    account: '/account',
    'not-found': '/main/nothing/here',
  }
  const seen = new Set([
    'overview',
    'app',
    'deployments',
    'failed',
    'logs',
    'app-settings',
    'deploy-form',
    'account',
  ])
  for (const [name, path] of Object.entries(pages)) {
    if (!seen.has(name)) {
      await at(path)
      await look(name)
    }
    await browser.lookInChinese(name, `${dashboard.url}${path}`)
  }
})

test('the steps and the failure of a deployment are said in Chinese, not in the English of the worker', async () => {
  await speak('zh-CN')
  await at(`${app.path}/deployments/3`)
  const failure = page.getByRole('alert', { name: '失败原因' })
  expect(await failure.textContent()).toContain('镜像仓库中没有')
  expect(await failure.textContent()).not.toContain('There is no image')
  await at(`${app.path}/deployments/1`)
  expect(await page.getByRole('list', { name: '步骤' }).textContent()).toMatch(/层，[\s\S]*端口 \d+ 已响应/)
  await speak('en')
})

test('a pull is seen layer by layer, one of which nothing comes says so, and who cancels it waits for nobody', async () => {
  const reference = `localhost:${dashboard.berth.port}/main/hello:slow`
  const files = { 'www/slow': randomBytes(64 * 2 ** 20) }
  await pushWithSkopeo(reference, `${owner.email}:${owner.password}`, { files })
  await at(`${app.path}/settings`)
  await page.getByLabel('Image', { exact: true }).fill(reference)
  await button('Save changes').click()
  await page.getByText('Saved').first().waitFor()
  const registry = (await dashboard.berth.status()).parts.find(({ name }) => name === 'registry')?.pid
  if (!registry) throw new Error('there is no registry')
  // It works for a moment of each quarter of a second: a slow one, until it does not work at all.
  let isSlow = true
  const slow = (async () => {
    while (isSlow) {
      process.kill(registry, 'SIGCONT')
      await sleep(2)
      process.kill(registry, 'SIGSTOP')
      await sleep(250)
    }
  })()
  try {
    await at(app.path)
    await button('Redeploy').click()
    const layers = page.getByRole('region', { name: 'Layers of the image' })
    await layers.getByText(/^[1-9][\d.]* MiB \/ 64 MiB$/).waitFor()
    isSlow = false
    await slow
    await layers.getByText(/^The registry has sent nothing for \d+ seconds\.$/).waitFor()
    await look('pulling-stalled')
    await page
      .getByRole('link', { name: /^Deployment #\d+$/ })
      .first()
      .click()
    await button('Cancel').click()
    const since = performance.now()
    await page.getByText(/^Deployment \d+: Canceled$/).waitFor()
    expect(performance.now() - since).toBeLessThan(5_000)
  } finally {
    isSlow = false
    await slow
    process.kill(registry, 'SIGCONT')
  }
  expect((await dashboard.berth.open(app.url)).body).toContain('hello from an image of mine')
})

test('deleting asks for the name, and then the address is unknown', async () => {
  await at(app.path)
  await button('App menu').click()
  await page.getByRole('menuitem', { name: 'Delete app' }).click()
  const dialog = page.getByRole('dialog')
  const confirm = dialog.getByRole('button', { name: 'Delete app' })
  expect(await confirm.isDisabled()).toBe(true)
  await dialog.getByRole('textbox').fill('hello')
  await look('delete')
  await confirm.click()
  await until('its address is unknown', async () => (await dashboard.berth.open(app.url)).status === 404)
  // Chromium may keep what this address said before.
  await open(app.url.replace('hello-main', 'nobody-main'))
  await page.getByRole('heading', { name: 'Nothing lives here' }).waitFor()
  await look('edge-unknown')
})

test('a link invites another person, who sees the team in his role, until he is removed', async () => {
  await at('/main/settings')
  await button('Invite').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('E-mail').fill('grace@example.org')
  await look('invite')
  await dialog.getByRole('button', { name: 'Invite' }).click()
  const link = await dialog.getByLabel('Link', { exact: true }).inputValue()
  await look('invite-link')
  await dialog.getByRole('button', { name: 'Done' }).click()
  await page.getByText('Invited by Ada Owner').waitFor()
  const guest = await openBrowser()
  try {
    await until('the link opens', async () => (await guest.page.goto(link)) !== null)
    await guest.page.getByRole('heading', { name: 'Join Main' }).waitFor()
    await guest.picture('join')
    await guest.page.getByLabel('Your name').fill('Grace Guest')
    await guest.page.getByLabel('Password', { exact: true }).fill('passwordpassword')
    await guest.page.getByRole('button', { name: 'Create account and join' }).click()
    await guest.page.getByText('Too easy to guess').waitFor()
    await guest.page.getByLabel('Password', { exact: true }).fill('several unlikely words')
    await guest.page.getByRole('button', { name: 'Create account and join' }).click()
    await guest.page.waitForURL('**/main')
    await guest.page.goto(`${dashboard.url}/main/settings`)
    expect(await guest.page.getByRole('button', { name: 'Invite' }).count()).toBe(0)
    await at('/main/settings')
    await button('Manage Grace Guest').click()
    await page.getByRole('dialog').getByRole('combobox').click()
    await page.getByRole('option', { name: 'Viewer' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Save changes' }).click()
    await page.getByText('Saved').waitFor()
    await look('members')
    await button('Manage Grace Guest').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await page
      .getByRole('dialog', { name: 'Remove Grace Guest?' })
      .getByRole('button', { name: 'Remove' })
      .click()
    await page.getByText('Member removed').waitFor()
    await guest.page.goto(`${dashboard.url}/main`)
    await guest.page.getByRole('heading', { name: 'Page not found' }).waitFor()
  } finally {
    await guest.close()
  }
})

test('a password is changed, and the other sessions end', async () => {
  const other = await openBrowser()
  try {
    await until('sign-in opens', async () => (await other.page.goto(`${dashboard.url}/sign-in`)) !== null)
    await other.page.getByLabel('E-mail').fill(owner.email)
    await other.page.getByLabel('Password', { exact: true }).fill(owner.password)
    await other.page.getByRole('button', { name: 'Sign in' }).click()
    await other.page.waitForURL('**/main')
    await at('/account')
    await page.getByLabel('Current password').fill(owner.password)
    await page.getByLabel('New password').fill('another good password of mine')
    await button('Change password').click()
    await page.getByText('Password changed').waitFor()
    owner.password = 'another good password of mine'
    await other.page.goto(`${dashboard.url}/main`)
    await other.page.waitForURL('**/sign-in**')
  } finally {
    await other.close()
  }
})

test('who signs out is out, and signs in again', async () => {
  await at('/account')
  await look('account')
  await button(/Account menu/)
    .first()
    .click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL('**/sign-in**')
  await at('/main')
  await page.waitForURL('**/sign-in**')
  await look('sign-in')
  await page.getByLabel('E-mail').fill(owner.email)
  await page.getByLabel('Password', { exact: true }).fill('not the password')
  await button('Sign in').click()
  await page.getByText('The e-mail address or the password is not right.').waitFor()
  await guessAs('stranger@example.org', 5)
  await page.getByLabel('E-mail').fill('stranger@example.org')
  await button('Sign in').click()
  await page.getByText(/Too many attempts\. Try again at .+, in a minute\./).waitFor()
  await look('sign-in-too-often')
  await page.getByLabel('E-mail').fill(owner.email)
  await page.getByLabel('Password', { exact: true }).fill(owner.password)
  await button('Sign in').click()
  await page.waitForURL('**/main')
})

const speak = (locale: 'en' | 'zh-CN') => browser.speak(locale, dashboard.url)

/** As `docker login` would: counted together with the attempts at the form. */
async function guessAs(email: string, times: number): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${email}:wrong`).toString('base64')}`
  const url = `${dashboard.url}/api/registry/token?service=berth`
  for (let i = 0; i < times; i++) expect((await fetch(url, { headers: { authorization } })).status).toBe(401)
}

async function appId(): Promise<string> {
  const { body } = await dashboard.berth.api('GET', '/teams/main/apps')
  const found = (body as { data: { id: string; slug: string }[] }).data.find(({ slug }) => slug === 'hello')
  if (!found) throw new Error('there is no app hello')
  return found.id
}
