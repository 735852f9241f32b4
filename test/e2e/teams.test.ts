import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from '../support/browser.ts'
import { becomeOwner, type Dashboard, join, startDashboard } from '../support/dashboard.ts'
import { until } from '../support/until.ts'

// One owner's way through what concerns her team, in order: each test goes on where the one before stopped.
let dashboard: Dashboard
let page: Page

beforeAll(async () => {
  dashboard = await startDashboard()
  page = dashboard.browser.page
  await becomeOwner(dashboard)
})

afterAll(() => dashboard?.close())

const at = (path: string) => dashboard.browser.open(`${dashboard.url}${path}`)
const button = (name: string | RegExp) => page.getByRole('button', { name })
const look = (name: string) => dashboard.browser.look(name)

/** The page of an address in both languages. */
async function lookInBoth(name: string, path: string): Promise<void> {
  await look(name)
  await dashboard.browser.lookInChinese(name, `${dashboard.url}${path}`)
  await at(path)
}

async function choose(label: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: label }).click()
  await page.getByRole('option', { name: option, exact: true }).click()
}

test('a token of the team that is for deploying some apps deploys them and does nothing else', async () => {
  await at('/main/settings/tokens')
  await button('Create token').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Token name').fill('ci')
  await choose('Reaches', 'Only some projects and apps')
  await dialog.getByLabel('Networks').fill('127.0.0.0/8, nowhere')
  await dialog.getByRole('checkbox').last().check()
  await dialog.getByRole('button', { name: 'Create token' }).click()
  await dialog.getByText('Use addresses and networks such as').waitFor()
  await dialog.getByLabel('Networks').fill('127.0.0.0/8, ::1')
  await look('team-token-form')
  await dialog.getByRole('button', { name: 'Create token' }).click()
  const secret = await dialog.getByLabel('Token', { exact: true }).inputValue()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await page.getByText('Deploying (CI)').waitFor()
  const { body } = await dashboard.berth.api('GET', '/teams/main/apps')
  const app = (body as { data: { id: string }[] }).data[0]?.id
  const ask = (method: string, path: string) =>
    fetch(`http://localhost:${dashboard.berth.port}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${secret}` },
    })
  expect((await ask('GET', `/apps/${app}`)).status).toBe(200)
  expect((await ask('GET', `/apps/${app}/variables`)).status).toBe(403)
  expect((await ask('DELETE', `/apps/${app}`)).status).toBe(403)
  expect((await ask('GET', '/teams/main/members')).status).toBe(403)
  await at('/main/settings/tokens')
  await page.getByText(/from (127\.0\.0\.1|::1)/).waitFor()
  await lookInBoth('team-tokens', '/main/settings/tokens')
  await button('Revoke ci').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByText('Token revoked').waitFor()
  expect((await ask('GET', `/apps/${app}`)).status).toBe(401)
})

test('a personal token says what it is for', async () => {
  await at('/account')
  await button('Create token').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Token name').fill('laptop')
  await choose('For', 'Chosen actions')
  await dialog.getByRole('checkbox', { name: 'app.read', exact: true }).check()
  await look('token-form')
  await dialog.getByRole('button', { name: 'Create token' }).click()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('list', { name: 'API tokens' }).getByText('Chosen actions').waitFor()
  await lookInBoth('account-tokens', '/account')
})

test('limits that an administrator sets show as bars, and what goes beyond them is refused in words', async () => {
  await at('/main/settings/usage')
  await page.getByRole('textbox', { name: 'Apps', exact: true }).fill('1')
  await page.getByRole('textbox', { name: 'Memory', exact: true }).fill('0.5')
  await page.getByRole('textbox', { name: 'Processors', exact: true }).fill('4')
  await button('Save changes').click()
  await page.getByText('Saved').waitFor()
  await page.getByRole('progressbar', { name: 'Apps' }).waitFor()
  expect(await page.getByRole('progressbar', { name: 'Apps' }).getAttribute('aria-valuenow')).toBe('100')
  await lookInBoth('usage', '/main/settings/usage')
  await at('/main/new')
  await page.getByLabel('Image', { exact: true }).fill('registry.example/app:1')
  await button('Deploy').click()
  await page.getByText('The team may have 1 app and has 1.').waitFor()
})

test('a member gets another role in one project, and none in it at last', async () => {
  const grace = { name: 'Grace Guest', email: 'grace@example.org', password: 'several unlikely words' }
  const guest = await openBrowser()
  try {
    await join(dashboard, guest, 'main', { ...grace, role: 'viewer' })
    const { body: projects } = await dashboard.berth.api('GET', '/teams/main/projects')
    const slug = (projects as { data: { slug: string }[] }).data[0]?.slug
    await guest.page.goto(`${dashboard.url}/main/${slug}`)
    await guest.page.getByRole('heading', { level: 1 }).waitFor()
    expect(await guest.page.getByRole('link', { name: 'New app' }).count()).toBe(0)
    await at(`/main/${slug}`)
    await button('Project menu').click()
    await page.getByRole('menuitem', { name: 'Access' }).click()
    await choose('Access of Grace Guest', 'Developer')
    await page.getByText('Saved').waitFor()
    await lookInBoth('project-access', `/main/${slug}/settings`)
    await guest.page.goto(`${dashboard.url}/main/${slug}`)
    await guest.page.getByRole('link', { name: 'New app' }).waitFor()
    await choose('Access of Grace Guest', 'No access')
    await page.getByRole('combobox', { name: 'Access of Grace Guest' }).getByText('No access').waitFor()
    await until('the project is gone for her', async () => {
      await guest.page.goto(`${dashboard.url}/main/${slug}`)
      return (await guest.page.getByRole('heading', { name: 'Page not found' }).count()) === 1
    })
  } finally {
    await guest.close()
  }
})

test('a team moves: who is told beforehand what stays; former links lead to the same page', async () => {
  await at('/main/settings')
  await button('Change address').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('New address').fill('harbour')
  await dialog.getByText('Images keep their names').waitFor()
  await look('move-team')
  await dialog.getByRole('button', { name: 'Change address' }).click()
  await page.waitForURL('**/harbour/settings')
  await lookInBoth('team-settings', '/harbour/settings')
  await at('/main/settings/usage?from=bookmark')
  await page.waitForURL('**/harbour/settings/usage?from=bookmark')
  expect((await dashboard.berth.open(dashboard.welcome)).status).toBe(200)
  expect(await dashboard.berth.api('GET', '/teams/main')).toMatchObject({
    status: 200,
    body: { slug: 'harbour' },
  })
})

test('a team is deleted by its name, and comes back with its apps', async () => {
  await at('/harbour/settings')
  await button('Delete team').click()
  const dialog = page.getByRole('dialog')
  const confirm = dialog.getByRole('button', { name: 'Delete team' })
  expect(await confirm.isDisabled()).toBe(true)
  await dialog.getByRole('textbox').fill('Main')
  await look('delete-team')
  await confirm.click()
  await page.waitForURL('**/account/deleted-teams')
  await until('its app stops', async () => (await dashboard.berth.open(dashboard.welcome)).status === 503)
  await lookInBoth('deleted-teams', '/account/deleted-teams')
  await at('/account')
  await page.getByRole('link', { name: 'Deleted teams' }).click()
  await button('Restore Main').click()
  await page.waitForURL('**/harbour')
  await until(
    'its app runs again',
    async () => (await dashboard.berth.open(dashboard.welcome)).status === 200,
  )
})

test('the log of the team says who did what, before and after; it is filtered, and taken away as a file', async () => {
  await at('/harbour/settings')
  await page.getByRole('link', { name: 'Audit log' }).click()
  const log = page.getByRole('list', { name: 'Audit log' })
  const moved = log.getByRole('listitem').filter({ hasText: 'renamed the team' }).first()
  await moved.getByText('harbour', { exact: true }).waitFor()
  expect(await moved.textContent()).toMatch(/Ada Owner renamed the team Main.*Chrome.*slug.*main.*harbour/)
  await lookInBoth('team-audit', '/harbour/settings/audit')
  await choose('What', 'Invitations')
  await page.getByLabel('Who').fill('grace')
  await button('Filter').click()
  await page.waitForURL(/actor=grace.*action=invitation/)
  await log.getByText('accepted an invitation').waitFor()
  expect(await log.getByRole('listitem').count()).toBe(1)
  const file = await page.getByRole('link', { name: 'Export CSV' }).getAttribute('href')
  const lines = (await page.evaluate(async (address) => (await fetch(address)).text(), file ?? '')).split(
    '\r\n',
  )
  expect(lines).toHaveLength(3)
  expect(lines[1]).toContain('"Grace Guest"')
})

test('an administrator finds an account, makes a link for a new password, suspends it and lets it in again', async () => {
  await at('/main')
  await page.getByRole('link', { name: 'Administration' }).click()
  await page.waitForURL('**/admin/users')
  await lookInBoth('admin-users', '/admin/users')
  await page.getByLabel('Name or e-mail').fill('grace')
  await page.getByRole('main').getByRole('button', { name: 'Search' }).click()
  await page.waitForURL('**/admin/users?search=grace')
  await page.getByRole('list', { name: 'Users' }).getByRole('link').click()
  await page.getByRole('heading', { name: 'Grace Guest' }).waitFor()
  const account = page.url().slice(dashboard.url.length)
  await lookInBoth('admin-user', account)
  await button('Make the link').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Make the link' }).click()
  const link = await page.getByRole('dialog').getByLabel('Link', { exact: true }).inputValue()
  expect(link).toMatch(/\/reset\?token=\w{40}$/)
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click()
  await button('Suspend').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click()
  await page.getByText('Account suspended').waitFor()
  await button('Reactivate').click()
  await page.getByText('Account reactivated').waitFor()
})

test('the last administrator stays one, and is not offered to suspend or delete herself', async () => {
  await at('/admin/users?state=administrator')
  await page.getByRole('list', { name: 'Users' }).getByRole('link', { name: 'Ada Owner' }).click()
  await button('Remove as administrator').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Remove as administrator' }).click()
  await dialog.getByText('This is the last administrator of the installation.').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  expect(await button(/Suspend|Delete account/).count()).toBe(0)
})

test('an administrator sees what a team takes up, and sets its limits', async () => {
  await at('/admin/teams')
  await lookInBoth('admin-teams', '/admin/teams')
  await page.getByRole('list', { name: 'Teams' }).getByRole('link', { name: 'Main' }).click()
  await page.getByRole('heading', { name: 'Main' }).waitFor()
  await lookInBoth('admin-team', page.url().slice(dashboard.url.length))
  await page.getByLabel('Builds at once').fill('3')
  await button('Save changes').click()
  await page.getByText('Saved').waitFor()
  await button('Make Grace Guest owner').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Make owner' }).click()
  await page.getByText('The team has a new owner').waitFor()
})

test('a host says how it is, and takes no new apps while it is cordoned; the log of the installation tells of it', async () => {
  await at('/admin/hosts')
  await page.getByText('Online').waitFor()
  await lookInBoth('admin-hosts', '/admin/hosts')
  await button('Cordon').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cordon' }).click()
  await page.getByRole('heading', { name: 'The host takes no new apps' }).waitFor()
  await button('Uncordon').click()
  await page.getByText('The host takes new apps').waitFor()
  await at('/admin/audit')
  const log = page.getByRole('list', { name: 'Audit log' })
  await log.getByText('uncordoned the host').waitFor()
  await log.getByText('made owner of the team').waitFor()
  await lookInBoth('admin-audit', '/admin/audit')
  await page.getByLabel('Days').fill('400')
  await button('Save changes').click()
  await page.getByText('Saved').waitFor()
  await log.getByText('changed how long the audit log is kept').waitFor()
})
