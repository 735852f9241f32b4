import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { get } from '../support/edge.ts'
import { until } from '../support/until.ts'

// What a team gives a real application around its image, all of it in the browser; tests go on where the last stopped.
let berth: BerthHome
let browser: TestBrowser
let page: Page
let dashboard: string
/** The welcome app's page, which is there from the start. */
let app: string

beforeAll(async () => {
  berth = await makeBerthHome()
  const started = await berth.up()
  dashboard = started.dashboard ?? ''
  browser = await openBrowser()
  page = browser.page
  await open(started.setupLink ?? '')
  await page.getByLabel('Your name').fill('Ada Owner')
  await page.getByLabel('E-mail').fill('ada@example.org')
  await page.getByLabel('Password', { exact: true }).fill('a long enough password')
  await page.getByRole('button', { name: 'Become the owner' }).click()
  await page.waitForURL('**/main')
  const projects = await berth.api('GET', '/teams/main/projects')
  const apps = await berth.api('GET', '/teams/main/apps')
  const [project] = (projects.body as { data: { slug: string }[] }).data
  const [first] = (apps.body as { data: { slug: string }[] }).data
  app = `/main/${project?.slug}/${first?.slug}`
})

afterAll(async () => {
  await browser?.close()
  await berth?.close()
})

/** Chromium breaks off what it loads when an interface comes or goes: then again. */
const open = (url: string) => until(`${url} opens`, async () => (await page.goto(url)) !== null)
const at = (path: string) => open(`${dashboard}${path}`)
const button = (name: string | RegExp) => page.getByRole('button', { name })

/** Ends on that page, in English. */
const look = (name: string, path: string) => browser.lookInBoth(name, `${dashboard}${path}`)

test('a variable that apps share is referred to by one of them, beside a secret in a file', async () => {
  const shared = `${app.split('/').slice(0, 3).join('/')}/settings/variables`
  await at(shared)
  await page.getByLabel('Name of variable 1').fill('REGION')
  await page.getByLabel('Value of REGION').fill('eu-central')
  await button('Save').click()
  await page.getByText('Each app gets it at its next deployment.').waitFor()
  await look('shared-variables', shared)

  await at(`${app}/variables`)
  await page.getByText('eu-central').waitFor()
  await page.getByLabel('Name of variable 1').fill('BUCKET')
  await page.getByLabel('Value of BUCKET').fill('$'.concat('{{REGIO}}-files'))
  await button('Add variable').click()
  await page.getByLabel('Name of variable 2').fill('TLS_KEY')
  await page.getByLabel('Value of TLS_KEY').fill('-----BEGIN\nof two lines-----')
  await page.getByLabel('TLS_KEY is a secret').check()
  await button('Give TLS_KEY as a file').click()
  await button('Save').click()
  await page.getByText('It refers to REGIO, which does not exist.').waitFor()
  await page.getByLabel('Value of BUCKET').fill('$'.concat('{{REGION}}-files'))
  await button('Save').click()
  await page.getByText('It takes effect at the next deployment.').waitFor()
  await page.getByLabel('Value of BUCKET').fill('other')
  await button('Save').click()
  await page.getByText('Version 2').waitFor()
  await page.getByText('Refer to other variables').click()
  await look('variables', `${app}/variables`)
})

test('an earlier version comes back, its secrets too', async () => {
  await button('Restore').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click()
  await page.getByText('Version 1 is back').waitFor()
  await page.getByText('Version 3').waitFor()
  expect(await page.getByLabel('Value of BUCKET').inputValue()).toBe('$'.concat('{{REGION}}-files'))
  expect(await page.getByLabel('In the file').inputValue()).toBe('/run/secrets/tls_key')
  await page.getByText('Version 3').waitFor()
})

test('a command runs once and shows what it wrote, and a cron job is made, run now and switched off', async () => {
  await at(`${app}/jobs`)
  await button('Run a command').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Command').fill('echo it works; echo oops >&2; exit 3')
  await dialog.getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL('**/jobs/1')
  await page.getByText('It ended with an error. Exit code 3.').waitFor()
  await page.getByText('it works', { exact: true }).waitFor()
  await look('run', `${app}/jobs/1`)

  await at(`${app}/jobs`)
  await button('New cron job').click()
  await dialog.getByLabel('Name').fill('Nightly report')
  await dialog.getByLabel('Command').fill('echo report')
  await dialog.getByLabel('Schedule').fill('0 0 30 2 *')
  await dialog.getByLabel('Time zone').fill('Asia/Shanghai')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByText('This time never comes.').waitFor()
  await dialog.getByLabel('Schedule').fill('30 2 * * 1-5')
  await browser.pictures('cron-form')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('At 02:30, Monday through Friday').waitFor()
  await button('Run Nightly report now').click()
  await page.waitForURL('**/jobs/2')
  await page.getByText('Succeeded').waitFor()
  await look('jobs', `${app}/jobs`)
  await button('Menu of Nightly report').click()
  await page.getByRole('menuitem', { name: 'Switch off' }).click()
  await page.getByText('switched off').waitFor()
})

interface AppView {
  id: string
  latestDeployment: { number: number; status: string }
}

async function appView(): Promise<AppView> {
  const { body } = await berth.api('GET', '/teams/main/apps')
  const found = (body as { data: (AppView & { slug: string })[] }).data.find(({ slug }) => app.endsWith(slug))
  if (found === undefined) throw new Error('the app is gone')
  return found
}

/** Deploys by the button; answers with the number once it is over. */
async function redeploy(status: string): Promise<number> {
  const { number } = (await appView()).latestDeployment
  await at(app)
  await button('Redeploy').click()
  return untilLatest(number + 1, status)
}

async function untilLatest(number: number, status: string): Promise<number> {
  await until(`deployment ${number} is ${status}`, async () => {
    const { latestDeployment } = await appView()
    return latestDeployment.number === number && latestDeployment.status === status
  })
  return number
}

test('a rollback shows what it would change, and brings it back', async () => {
  await at(`${app}/settings`)
  const onCrash = page.getByRole('switch', { name: 'Go back when it crashes in a loop' })
  expect(await onCrash.isChecked()).toBe(false)
  await onCrash.click()
  await page.getByLabel('Deployments kept', { exact: true }).fill('2')
  await page.getByLabel('Memory', { exact: true }).fill('300')
  await button('Save changes').click()
  await page.getByText('Saved').first().waitFor()
  await at(`${app}/settings`)
  expect(await onCrash.isChecked()).toBe(true)
  await look('rollback-settings', `${app}/settings`)
  const { number } = (await appView()).latestDeployment
  await redeploy('live')
  await at(`${app}/deployments`)
  await button(`Roll back to #${number}`).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('The same image as now.').waitFor()
  await dialog.getByText('Memory', { exact: true }).waitFor()
  expect(await dialog.textContent()).toContain('300 MiB')
  await browser.pictures('rollback-dialog')
  await dialog.getByRole('button', { name: 'Roll back' }).click()
  await page.waitForURL(`**${app}`)
  await untilLatest(number + 2, 'live')
  await at(`${app}/deployments`)
  await button(`Roll back to #${number + 1}`).waitFor()
  expect(await button(`Roll back to #${number + 2}`).count()).toBe(0)
  await look('deployments', `${app}/deployments`)
})

test('a channel is made, changed and tried out', async () => {
  await at('/main/settings/notifications')
  await button('New channel').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Pager')
  await dialog.getByLabel('Address').fill('https://nobody.invalid/hooks/0123456789abcdef0123')
  await browser.pictures('channel-form')
  await dialog.getByRole('button', { name: 'New channel' }).click()
  expect(await dialog.getByLabel('Signing key', { exact: true }).inputValue()).toMatch(/^whsec_/)
  await dialog.getByRole('button', { name: 'Done' }).click()
  await button('Menu of Pager').click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  expect(await dialog.getByLabel('Name').inputValue()).toBe('Pager')
  await dialog.getByLabel('Name').fill('On call')
  await choose('Events', 'Everything')
  await browser.pictures('channel-edit')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await button('Menu of On call').click()
  await page.getByRole('menuitem', { name: 'Send a test' }).click()
  await page.getByText('The test is on its way').waitFor()
  const { body } = await berth.api('GET', '/teams/main/notification-channels')
  const [channel] = (body as { data: { id: string; name: string; urlHint: string; events: string[] }[] }).data
  expect(channel).toMatchObject({ name: 'On call', urlHint: 'https://nobody.invalid/…0123', events: ['*'] })
  await look('notifications', '/main/settings/notifications')
})

async function choose(label: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: label }).click()
  await page.getByRole('option', { name: option, exact: true }).click()
}

test('a name of its own leads to the app; one that is not shown yet says what to set; both go again', async () => {
  const port = Number(new URL(dashboard).port)
  const add = async (name: string) => {
    await button('Add domain').click()
    await page.getByRole('dialog').getByLabel('Name').fill(name)
    await page.getByRole('dialog').getByRole('button', { name: 'Add domain' }).click()
  }
  await at(`${app}/domains`)
  await page.getByText('Only the name that Berth made leads here.').waitFor()
  await add('http://blue.test/')
  await page.getByText('Use a domain name such as shop.example.com').waitFor()
  await page.getByRole('dialog').getByLabel('Name').fill('blue.test')
  await page.getByRole('dialog').getByRole('button', { name: 'Add domain' }).click()
  await page.getByRole('link', { name: 'blue.test', exact: true }).waitFor()
  await until('the edge knows the name', async () => (await get(port, 'blue.test')).status === 200)

  await add('shop.example')
  await page.getByText('Waiting for proof').waitFor()
  await button('Check shop.example now').click()
  await page.getByRole('list', { name: 'What was found' }).waitFor()
  await page.getByText('_berth-challenge.shop.example').waitFor()
  await button('Copy the record’s value').waitFor()
  expect((await get(port, 'shop.example')).status).toBe(404)
  await look('domains', `${app}/domains`)

  for (const name of ['shop.example', 'blue.test']) {
    await button(`Remove ${name}`).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await button(`Remove ${name}`).waitFor({ state: 'detached' })
  }
  await until('the edge forgot the name', async () => (await get(port, 'blue.test')).status === 404)
})

test('a worker is added on the page, waits there with who and when, and is put back', async () => {
  await at(app)
  await button('Add process').click()
  const dialog = page.getByRole('dialog', { name: 'Add process' })
  await dialog.getByLabel('Name').fill('web')
  await dialog.getByLabel('Command', { exact: true }).fill('echo works; sleep 1000')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByText('web is the process that answers requests').waitFor()
  expect(await dialog.getByLabel('Command', { exact: true }).inputValue()).toBe('echo works; sleep 1000')
  await dialog.getByLabel('Name').fill('worker')
  await dialog.getByText('Entrypoint, health check, time to end').click()
  await dialog.getByLabel('Health check command').fill('test -e /tmp/works')
  await dialog.getByLabel('Every').fill('0.01')
  await dialog.getByLabel('Time to end').fill('2.5')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByText('From 0.1 to 60 seconds.').waitFor()
  await browser.pictures('process-form')
  await dialog.getByLabel('Every').fill('1')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.getByText('Process worker', { exact: true }).waitFor()
  await button('Edit worker').click()
  const edit = page.getByRole('dialog', { name: 'Edit worker' })
  await edit.getByText('Entrypoint, health check, time to end').click()
  expect(await edit.getByLabel('Health check command').inputValue()).toBe('test -e /tmp/works')
  expect(await edit.getByLabel('Time to end').inputValue()).toBe('2.5')
  await edit.getByRole('button', { name: 'Cancel' }).click()
  // Earlier tests may have left others there.
  await page.getByText(/changes? (is|are) not deployed yet/).waitFor()
  await page.getByText('Ada Owner', { exact: false }).first().waitFor()
  await look('processes', app)
  await button('Discard the change of Process worker').click()
  await page.getByText('Process worker', { exact: true }).waitFor({ state: 'hidden' })
  expect(await button('Edit worker').count()).toBe(0)
})
