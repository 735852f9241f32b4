import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { becomeOwner, type Dashboard, startDashboard } from '../support/dashboard.ts'

// What can't be is said in a sentence at its field, and everything that was typed is still there.
let dashboard: Dashboard
let page: Page
let app: { id: string; path: string }

beforeAll(async () => {
  dashboard = await startDashboard()
  page = dashboard.browser.page
  await becomeOwner(dashboard)
  const { data: projects } = await ask<{ data: { slug: string }[] }>('GET', '/teams/main/projects')
  const { data: apps } = await ask<{ data: { id: string; slug: string }[] }>('GET', '/teams/main/apps')
  app = { id: apps[0]?.id ?? '', path: `/main/${projects[0]?.slug}/${apps[0]?.slug}` }
})

afterAll(() => dashboard?.close())

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await dashboard.berth.api(method, path, body)
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
  return answer.body as T
}

const at = (path: string) => dashboard.browser.open(`${dashboard.url}${app.path}${path}`)
const button = (name: string) => page.getByRole('button', { name, exact: true })
const dialog = () => page.getByRole('dialog')
const save = (name = 'Save changes') => dialog().getByRole('button', { name, exact: true }).click()

/** The sentence belongs to the field, for those who can't see it too, and the field has the focus and what was typed. */
async function refused(field: Locator, sentence: string | RegExp, typed: string): Promise<void> {
  await page.getByText(sentence).first().waitFor()
  expect(await field.getAttribute('aria-invalid')).toBe('true')
  const described = await field.getAttribute('aria-describedby')
  const words = await Promise.all(
    (described ?? '').split(' ').map((id) => page.locator(`[id="${id}"]`).textContent()),
  )
  expect(words.join(' ')).toMatch(sentence)
  expect(await field.evaluate((element) => element === document.activeElement)).toBe(true)
  expect(await field.inputValue()).toBe(typed)
}

test('a cron line that never fires', async () => {
  await at('/jobs')
  await button('New cron job').first().click()
  await dialog().getByLabel('Name').fill('Leap day')
  await dialog().getByLabel('Command').fill('bin/report')
  await dialog().getByLabel('Schedule').fill('0 0 30 2 *')
  await dialog().getByLabel('Time zone').fill('Asia/Shanghai')
  await save()
  await refused(dialog().getByLabel('Schedule'), 'This time never comes.', '0 0 30 2 *')
  expect(await dialog().getByLabel('Name').inputValue()).toBe('Leap day')
  expect(await dialog().getByLabel('Command').inputValue()).toBe('bin/report')
  expect(await dialog().getByLabel('Time zone').inputValue()).toBe('Asia/Shanghai')
})

test('a variable name that no shell accepts, and a circle of references', async () => {
  const [first, second] = ['$'.concat('{{SECOND}}'), '$'.concat('{{FIRST}}')]
  await at('/variables')
  await page.getByLabel('Name of variable 1').fill('MY-NAME')
  await page.getByLabel('Value of MY-NAME').fill('kept')
  await button('Save changes').click()
  const name = page.getByLabel('Name of variable 1')
  await refused(name, 'Letters, digits and underscores only, and no digit first.', 'MY-NAME')
  expect(await page.getByLabel('Value of MY-NAME').inputValue()).toBe('kept')

  await name.fill('FIRST')
  await page.getByLabel('Value of FIRST').fill(first)
  await button('Add variable').click()
  await page.getByLabel('Name of variable 2').fill('SECOND')
  await page.getByLabel('Value of SECOND').fill(second)
  await button('Save changes').click()
  await refused(
    page.getByLabel('Value of FIRST'),
    /^It refers to itself: (\S+\.)?FIRST → (\S+\.)?SECOND → (\S+\.)?FIRST$/,
    first,
  )
  expect(await page.getByLabel('Value of SECOND').inputValue()).toBe(second)
  await dashboard.browser.look('bad-variables')
})

test('a domain of another team', async () => {
  await ask('POST', '/teams', { name: 'Other', slug: 'other' })
  const project = await ask<{ id: string }>('POST', '/teams/other/projects', { name: 'Theirs' })
  const theirs = await ask<{ id: string }>('POST', `/projects/${project.id}/apps`, {
    ...{ name: 'theirs', settings: { image: 'registry.invalid/theirs:1' } },
  })
  await ask('POST', `/apps/${theirs.id}/domains`, { name: 'taken.test' })
  await at('/domains')
  await button('Add domain').click()
  await dialog().getByLabel('Name').fill('taken.test')
  await dialog().getByLabel('Path').fill('/shop')
  await save('Add domain')
  await refused(dialog().getByLabel('Name'), /^Another team uses this name/, 'taken.test')
  expect(await dialog().getByLabel('Path').first().inputValue()).toBe('/shop')
})

test('a wildcard without proof: it serves nobody, no certificate is asked for, and the page says which record to set', async () => {
  await at('/domains')
  await button('Add domain').click()
  await dialog().getByLabel('Name').fill('*.shop.example')
  await save('Add domain')
  const row = page.getByRole('listitem').filter({ hasText: '*.shop.example' })
  await row.getByText('_berth-challenge.shop.example', { exact: true }).waitFor()
  await button('Check *.shop.example now').click()
  await row.getByText(/^The TXT record (is not there yet|could not be looked up)/).waitFor()
  await row.getByText('Waiting for proof').waitFor()
  expect(await row.getByText(/certificate/).count()).toBe(0)
  const { data } = await ask<{ data: { name: string; verifiedAt: null; issuance: null }[] }>(
    'GET',
    `/apps/${app.id}/domains`,
  )
  expect(data.find(({ name }) => name === '*.shop.example')).toMatchObject({
    verifiedAt: null,
    issuance: null,
  })
})

test('a volume smaller than its content needs', async () => {
  await at('/volumes')
  await button('New volume').first().click()
  await dialog().getByLabel('Name').fill('archive')
  await dialog().getByLabel('Path in the container').fill('/archive')
  await save()
  await button('Take a snapshot of archive').and(page.locator(':enabled')).waitFor()
  await button('More for archive').click()
  await page.getByRole('menuitem', { name: 'Change' }).click()
  await dialog().getByLabel('Name').fill('old-archive')
  await dialog().getByLabel('Size').fill('0.02')
  await save()
  await refused(
    dialog().getByLabel('Size'),
    /^At least \d+ MiB: so much its content and file system need\.$/,
    '0.02',
  )
  expect(await dialog().getByLabel('Name').inputValue()).toBe('old-archive')
  await dashboard.browser.look('bad-volume-size')
})
