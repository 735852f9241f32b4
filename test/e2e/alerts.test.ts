import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Alert, AlertRule } from '../../platform/model/alerts.ts'
import { becomeOwner, type Dashboard, startDashboard } from '../support/dashboard.ts'
import { until } from '../support/until.ts'

// Rules of an app and of the host, in the browser; tests go on where the last stopped.
let dashboard: Dashboard
let page: Page
let app: { id: string; path: string }

beforeAll(async () => {
  dashboard = await startDashboard()
  page = dashboard.browser.page
  await becomeOwner(dashboard)
  // Ends again and again once it is live.
  const script = 'httpd -f -p $PORT -h /www & (sleep 8; kill -9 $!) & wait $!; exit 1'
  const image = await dashboard.berth.push('restless:1', {
    entrypoint: ['/bin/sh', '-c', script],
    files: { 'www/index.html': 'for a moment' },
  })
  const projects = await ask<{ data: { id: string; slug: string }[] }>('GET', '/teams/main/projects')
  const [project] = projects.data
  const settings = { image, healthCheck: { intervalMs: 200, observationMs: 500 } }
  const made = await ask<{ id: string; slug: string }>('POST', `/projects/${project?.id}/apps`, {
    ...{ name: 'Restless', settings },
  })
  app = { id: made.id, path: `/main/${project?.slug}/${made.slug}` }
})
afterAll(() => dashboard?.close())

async function ask<Body>(method: string, path: string, body?: unknown): Promise<Body> {
  const answer = await dashboard.berth.api(method, path, body)
  if (answer.status >= 300)
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body as Body
}

const go = (path: string) => dashboard.browser.open(`${dashboard.url}${path}`)
const button = (name: string | RegExp) => page.getByRole('button', { name })
/** The innermost item of a list that says so. */
const row = (text: string) => page.getByRole('listitem').filter({ hasText: text }).last()
const rulesOf = async (id: string) =>
  (await ask<{ data: AlertRule[] }>('GET', `/apps/${id}/alert-rules`)).data

test('an app has readable rules from the first day', async () => {
  await go(app.path)
  await page.getByRole('link', { name: 'Alerts', exact: true }).click()
  await row('CPU above 90% of its limit for 15 min').getByText('OK', { exact: true }).waitFor()
  const list = page.getByRole('list', { name: 'Alert rules' })
  expect(await list.getByRole('listitem').count()).toBe((await rulesOf(app.id)).length)
  await row('At least 3 restarts within 10 min').getByText('Never fired').waitFor()
  await dashboard.browser.look('alerts')
  await dashboard.browser.lookInChinese('alerts', `${dashboard.url}${app.path}/alerts`)
})

test('what is wrong with a number is said at its field, and what is right is kept', async () => {
  await go(`${app.path}/alerts`)
  await button('Change: At least 3 restarts within 10 min').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('At least').fill('many')
  await dialog.getByLabel('Within').fill('0.5')
  await button('Save').click()
  await dialog.getByText('A whole number from 1 to 1000.').waitFor()
  await dialog.getByText('From 1 to 1440 minutes.').waitFor()
  await dashboard.browser.look('alert-form')
  await dialog.getByLabel('At least').fill('1')
  await dialog.getByLabel('Within').fill('2')
  await button('Save').click()
  await row('A restart within 2 min').waitFor()
  const rule = (await rulesOf(app.id)).find(({ rule }) => rule === 'restarts')
  expect(rule).toMatchObject({ threshold: 1, forSeconds: 120, isDefault: false })
})

test('what fires is seen at once on the app, its project and its timeline, and ends when the rule is switched off', async () => {
  await ask('POST', `/apps/${app.id}/deployments`, {})
  // Nothing is loaded anew by hand.
  await row('A restart within 2 min').getByText('Firing', { exact: true }).waitFor({ timeout: 120_000 })
  await page.getByRole('link', { name: '1 alert' }).waitFor()
  await dashboard.browser.look('alerts-firing')
  await dashboard.browser.lookInChinese('alerts-firing', `${dashboard.url}${app.path}/alerts`)
  await go(app.path.replace(/\/[^/]*$/, ''))
  await row('Restless').getByText('1 alert').waitFor()
  await dashboard.browser.look('alerts-project')
  await go('/main')
  await page.getByText('1 alert').waitFor()
  await go(`${app.path}/timeline?kind=alert`)
  await page.getByText('Alert: A restart within 2 min', { exact: true }).waitFor()
  await go(`${app.path}/alerts`)
  await page.getByRole('switch', { name: 'Watch: A restart within 2 min' }).click()
  await row('A restart within 2 min').getByText('Off', { exact: true }).waitFor()
  await page.getByRole('link', { name: '1 alert' }).waitFor({ state: 'detached' })
  await go(`${app.path}/timeline?kind=alert`)
  await page.getByText('Alert is over: A restart within 2 min').waitFor()
  await page.getByText('The rule was switched off.').waitFor()
  await dashboard.browser.look('alerts-timeline')
})

test('a rule goes back to its default', async () => {
  await go(`${app.path}/alerts`)
  await button('Change: A restart within 2 min').click()
  await page.getByText('By default: At least 3 restarts within 10 min.').waitFor()
  await button('Back to the default').click()
  await row('At least 3 restarts within 10 min').waitFor()
  expect((await rulesOf(app.id)).every(({ isDefault }) => isDefault)).toBe(true)
})

test('an administrator sees and changes what is watched of a host', async () => {
  await go('/admin/hosts')
  await page.getByText('Alerts', { exact: true }).click()
  await button('Change: Disk more than 85% full for 5 min').click()
  await page.getByRole('dialog').getByLabel('More than').fill('1')
  await page.getByRole('dialog').getByLabel('For', { exact: true }).fill('1')
  await button('Save').click()
  await row('Disk more than 1% full for 1 min').waitFor()
  const hosts = await ask<{ data: { id: string }[] }>('GET', '/admin/hosts')
  const path = `/admin/hosts/${hosts.data[0]?.id}/alerts`
  await until(
    'the disk is told of',
    async () => (await ask<{ data: Alert[] }>('GET', path)).data.some(({ state }) => state === 'firing'),
    150_000,
  )
  await go('/admin/hosts')
  await row('Disk more than 1% full for 1 min').getByText('Firing', { exact: true }).waitFor()
  await dashboard.browser.look('admin-host-alerts')
  await dashboard.browser.lookInChinese('admin-host-alerts', `${dashboard.url}/admin/hosts`)
  await go('/admin/audit')
  await page.getByText('an alert of the host fired').first().waitFor()
}, 240_000)
