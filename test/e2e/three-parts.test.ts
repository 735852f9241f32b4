import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { becomeOwner, type Dashboard, startDashboard } from '../support/dashboard.ts'
import {
  databaseUrl,
  makeShop,
  password,
  type Shop,
  shopNames,
  signingKey,
  startWorldNames,
} from '../support/shop.ts'
import { until } from '../support/until.ts'

// A real application of three parts (web, worker, PostgreSQL with a volume), in the browser alone: what is read here is
// what people see. Each test goes on where the last stopped. three-parts-by-api.test.ts does the same through the API.
let names: Awaited<ReturnType<typeof startWorldNames>>
let dashboard: Dashboard
let shop: Shop
let page: Page

beforeAll(async () => {
  names = await startWorldNames()
  dashboard = await startDashboard()
  page = dashboard.browser.page
  shop = await makeShop(dashboard.berth, names)
  await becomeOwner(dashboard)
})

afterAll(async () => {
  await shop?.close()
  await dashboard?.close()
  await names?.close()
})

const at = (path: string) => dashboard.browser.open(`${dashboard.url}${path}`)
const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true })
const dialog = () => page.getByRole('dialog')
const inDialog = (name: string) => dialog().getByRole('button', { name, exact: true })
const field = (name: string) => page.getByLabel(name, { exact: true })
const look = (name: string) => dashboard.browser.look(`three-parts-${name}`)
const [db, web] = ['/main/shop/db', '/main/shop/shop']

/** Waits on an app's own page, as it is, until it says that the deployment serves. */
async function live(number: number): Promise<void> {
  const rows = page.getByRole('list', { name: 'Deployments' }).getByRole('listitem')
  await rows
    .filter({ hasText: `#${number}` })
    .getByText('Live', { exact: true })
    .waitFor()
}

async function deployChanges(path: string, number: number): Promise<void> {
  await at(path)
  await button('Deploy changes').click()
  await button('Deploy changes').waitFor({ state: 'detached' })
  await live(number)
}

test('a database is deployed with its volume, and has no public name', async () => {
  await at('/main/new')
  await field('Image').fill(shop.images.postgres)
  await field('App name').fill('db')
  await field('Port').fill('5432')
  await choose('Project', 'New project…')
  await field('Project name').fill('Shop')
  await field('Name of variable 1').fill('POSTGRES_PASSWORD')
  await field('Value of POSTGRES_PASSWORD').fill(password)
  await field('POSTGRES_PASSWORD is a secret').check()
  await page.getByRole('switch', { name: 'Volume' }).click()
  await field('Size').fill('0.25')
  await button('Deploy').click()
  await page.getByText('Use an absolute path').first().waitFor()
  await look('new-with-volume')
  await field('Path in the container').fill('/var/lib/postgresql/data')
  await page.getByText('Advanced', { exact: true }).click()
  await page.getByRole('switch', { name: 'Public name' }).click()
  await button('Deploy').click()
  await page.waitForURL(`**${db}`)
  await live(1)
  await page.getByText('No public name', { exact: true }).waitFor()
  await at(`${db}/volumes`)
  await page.getByRole('heading', { name: 'data' }).waitFor()
})

async function choose(label: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: label }).click()
  await page.getByRole('option', { name: option, exact: true }).click()
}

test('a shop is linked to it by its private name, migrates it before it starts, and gets a worker', async () => {
  await at('/main/new')
  await field('Image').fill(shop.images.shop)
  await field('App name').fill('shop')
  await choose('Project', 'Shop')
  await field('Name of variable 1').fill('DATABASE_URL')
  await field('Value of DATABASE_URL').fill(databaseUrl)
  await button('Add variable').click()
  await field('Name of variable 2').fill('SIGNING_KEY')
  await field('Value of SIGNING_KEY').fill(signingKey)
  await field('SIGNING_KEY is a secret').check()
  await button('Give SIGNING_KEY as a file').click()
  await field('In the file').fill('/run/secrets/signing.key')
  await page.getByText('Advanced', { exact: true }).click()
  await page.getByLabel('Release command').fill('node migrate.mjs')
  await page.getByLabel('Health check path', { exact: true }).fill('/healthy')
  await look('deploy')
  await button('Deploy').click()
  await page.waitForURL(`**${web}`)
  await live(1)
  await button('Add process').click()
  await dialog().getByLabel('Name').fill('worker')
  await dialog().getByLabel('Command', { exact: true }).fill('["node", "worker.mjs"]')
  await inDialog('Save changes').click()
  await page.getByText('not deployed yet').first().waitFor()
  await look('waiting')
  await deployChanges(web, 2)
  await look('app')
})

test('it is served on two names with certificates of a real authority', async () => {
  await at('/admin/certificates')
  await field('Directory').fill(shop.pebble.directoryUrl)
  await page.getByText('A private authority').click()
  await field('Its own root').fill(shop.pebble.authority)
  await page.getByLabel('I agree to the authority’s terms of service.').check()
  await button('Save changes').click()
  await page.getByText('Berth asks for an account when').waitFor()
  await at(`${web}/domains`)
  for (const name of shopNames) {
    await button('Add domain').click()
    await dialog().getByLabel('Name').fill(name)
    await inDialog('Add domain').click()
    const row = page.getByRole('listitem').filter({ hasText: `_berth-challenge.${name}` })
    const value = await row.locator('dd code').last().textContent()
    await names.show(name, { name: `_berth-challenge.${name}`, value: value ?? '' })
    await button(`Check ${name} now`).click()
    await page
      .getByRole('listitem')
      .filter({ hasText: name })
      .getByText(/^HTTPS with a certificate that is good until/)
      .waitFor()
  }
  await look('domains')
  await shop.expectOpen('lamp')
  expect(shop.pebble.issued()).toBe(2)
})

test('a nightly job is run now', async () => {
  await at(`${web}/jobs`)
  await button('New cron job').first().click()
  await dialog().getByLabel('Name').fill('nightly')
  await dialog().getByLabel('Command').fill('node nightly.mjs')
  await dialog().getByLabel('Schedule').fill('0 3 * * *')
  await dialog().getByLabel('Time zone').fill('Europe/Berlin')
  await inDialog('Save changes').click()
  await button('Run nightly now').click()
  await page.waitForURL('**/jobs/1')
  await page.getByText('Succeeded').waitFor()
  await page.getByText('1 orders', { exact: true }).waitFor()
  expect(await shop.ask('/reports')).toEqual([{ orders: 1 }])
})

test('a snapshot is taken, everything is destroyed, and the restore brings all of it back', async () => {
  await at(`${db}/volumes`)
  await button('Take a snapshot of data').click()
  const rows = page.getByRole('list', { name: 'Snapshots of data' }).getByRole('listitem')
  await rows.getByText('Ready').waitFor()
  await at(`${web}/jobs`)
  await button('Run a command').click()
  await dialog().getByLabel('Command').fill('node destroy.mjs')
  await inDialog('Run').click()
  await page.getByText('everything is gone', { exact: true }).waitFor()
  await until('the orders are gone', async () => (await shop.ask('/orders')) === null)
  await at(`${db}/volumes`)
  await button('More for the snapshot Snapshot').click()
  await page.getByRole('menuitem', { name: 'Restore' }).click()
  await inDialog('Restore').click()
  await rows.getByText('Before a restore').waitFor()
  await until('the orders are back', async () => {
    const orders = (await shop.ask('/orders')) as unknown[] | null
    return orders?.length === 1
  })
  await look('restored')
  expect(await shop.ask('/orders')).toEqual([{ item: 'lamp', packed_by: 'worker' }])
  expect(await shop.ask('/reports')).toEqual([{ orders: 1 }])
  await shop.expectOpen('chair')
})
