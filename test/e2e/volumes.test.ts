import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BerthHome } from '../support/berth-home.ts'
import type { TestBrowser } from '../support/browser.ts'
import { type OwnedDashboard, startAsOwner, type WelcomeApp } from '../support/dashboard.ts'
import { get } from '../support/edge.ts'
import { until } from '../support/until.ts'

// What an app keeps and whom it lets in, in the browser; tests go on where the last stopped.
let berth: BerthHome
let browser: TestBrowser
let page: Page
let dashboard: OwnedDashboard
let app: WelcomeApp

beforeAll(async () => {
  dashboard = await startAsOwner()
  ;({ berth, browser, page, app } = dashboard)
})

afterAll(async () => {
  await dashboard?.close()
})

const at = (path: string) => dashboard.at(path)
const button = (name: string | RegExp) => page.getByRole('button', { name })
const dialog = () => page.getByRole('dialog')
/** The app, by the edge. */
const visit = (login?: string) =>
  get(berth.port, new URL(dashboard.welcome).host, {
    headers: login === undefined ? {} : { authorization: `Basic ${btoa(login)}` },
  })
const read = async () => (await berth.api('GET', `/apps/${app.id}`)).body as { status: string }

async function deployed(): Promise<void> {
  expect((await berth.api('POST', `/apps/${app.id}/deployments`, {})).status).toBe(202)
  await until('it is deployed', async () => {
    const { body } = await berth.api('GET', `/apps/${app.id}/pending-changes`)
    const { changes, underWay } = body as { changes: unknown[]; underWay: unknown }
    return changes.length === 0 && underWay === null && (await read()).status === 'running'
  })
}

test('a volume is made, what is wrong is said at the field, and it waits for a deployment', async () => {
  await at(`${app.path}/volumes`)
  await page.getByText('No volumes').waitFor()
  await button('New volume').click()
  await dialog().getByLabel('Size').fill('0.001')
  await dialog().getByLabel('Path in the container').fill('/proc')
  await dialog().getByRole('button', { name: 'Save' }).click()
  await dialog().getByText('From 16 MiB to 16 TiB.').waitFor()
  await dialog().getByText('Use another path: /proc, /sys, /dev').waitFor()
  await dialog().getByLabel('Path in the container').fill('data')
  await dialog().getByRole('button', { name: 'Save' }).click()
  await dialog().getByText('Use an absolute path such as /var/lib/data.').waitFor()
  await dialog().getByLabel('Size').fill('0.0625')
  await dialog().getByLabel('Path in the container').fill('/data')
  await dialog().getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'data' }).waitFor()
  await page.getByRole('progressbar', { name: 'Used of data' }).waitFor()
  await page.getByText(/of 64 MiB used/).waitFor()
  await at(app.path)
  await page.getByText('Volume data', { exact: true }).waitFor()
  await deployed()
})

test('a snapshot is taken and gone back to; what was there is one, too', async () => {
  await at(`${app.path}/volumes`)
  await button('Take a snapshot of data').click()
  const rows = page.getByRole('list', { name: 'Snapshots of data' }).getByRole('listitem')
  await rows.getByText('Ready').waitFor()
  await button('More for the snapshot Snapshot').click()
  await page.getByRole('menuitem', { name: 'Restore' }).click()
  await dialog().getByRole('button', { name: 'Restore' }).click()
  await rows.getByText('Before a restore').waitFor()
  await until('both are ready', async () => (await rows.getByText('Ready').count()) === 2)
  await until('the app serves', async () => (await read()).status === 'running')
})

test('it can be used by everybody, in both languages and themes, on a desk and on a phone', async () => {
  await browser.lookInBoth('volumes', `${dashboard.url}${app.path}/volumes`, () =>
    page.getByRole('heading', { name: 'data' }).waitFor(),
  )
})

test('it is deleted by typing its name, waits as a change, and is brought back', async () => {
  await at(`${app.path}/volumes`)
  await button('More for data').click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  const confirm = dialog().getByRole('button', { name: 'Delete' })
  expect(await confirm.isDisabled()).toBe(true)
  await dialog().getByRole('textbox').fill('data')
  await confirm.click()
  await page.getByRole('heading', { name: 'Deleted volumes' }).waitFor()
  await page.getByText(/removed after/).waitFor()
  await browser.pictures('volumes-deleted')
  const { body } = await berth.api('GET', `/apps/${app.id}/pending-changes`)
  expect(body).toMatchObject({ changes: [{ field: 'volumes.data', change: 'removed' }] })
  await button('Bring back data').click()
  await page.getByRole('heading', { name: 'data' }).waitFor()
  await page.getByRole('heading', { name: 'Deleted volumes' }).waitFor({ state: 'detached' })
})

test('who is let in is chosen among the domains, and asked for at once', async () => {
  await at(`${app.path}/domains`)
  const card = page.getByRole('region', { name: 'Who is let in' })
  await card.getByRole('button', { name: 'Add a name' }).click()
  await card.getByLabel('Name', { exact: true }).fill('ada')
  await card.getByLabel('Password').fill('short')
  await card.getByRole('button', { name: 'Save' }).click()
  await card.getByText(/At least 8/).waitFor()
  await card.getByLabel('Password').fill('correct horse')
  await card.getByRole('button', { name: 'Save' }).click()
  await until('a password is asked for', async () => (await visit()).status === 401)
  expect((await visit('ada:correct horse')).status).toBe(200)
  await browser.look('access')
  await card.getByLabel('Networks').fill('203.0.113.0/24')
  await card.getByRole('button', { name: 'Save' }).click()
  await until('only those networks are let in', async () => (await visit('ada:correct horse')).status === 403)
  await card.getByRole('button', { name: 'Remove ada' }).click()
  await card.getByLabel('Networks').fill('')
  await card.getByRole('button', { name: 'Save' }).click()
  await until('everybody is let in', async () => (await visit()).status === 200)
})
