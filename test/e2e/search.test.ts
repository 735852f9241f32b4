import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestBrowser } from '../support/browser.ts'
import { type OwnedDashboard, startAsOwner } from '../support/dashboard.ts'
import { until } from '../support/until.ts'

// The search for apps, projects and pages from anywhere.
let dashboard: OwnedDashboard
let browser: TestBrowser
let page: Page
let project: { id: string; slug: string } | undefined
const app = { path: '' }

beforeAll(async () => {
  dashboard = await startAsOwner()
  browser = dashboard.browser
  page = dashboard.page
  const { body } = await dashboard.berth.api('GET', '/teams/main/projects')
  project = (body as { data: { id: string; slug: string }[] }).data[0]
  const { slug } = await make('hello')
  app.path = `/main/${project?.slug}/${slug}`
})

afterAll(() => dashboard?.close())

const at = (path: string) => dashboard.at(path)

/** An app that nobody deploys. */
async function make(name: string): Promise<{ id: string; slug: string }> {
  const settings = { image: dashboard.app.image }
  const made = await dashboard.berth.api('POST', `/projects/${project?.id}/apps`, { name, settings })
  expect(made.status).toBe(201)
  return made.body as { id: string; slug: string }
}

const search = () => page.getByRole('combobox', { name: 'Search apps, projects and pages' })
const option = (name: RegExp) => page.getByRole('option', { name })
/** What Enter would open: the option that the field says is the active one. */
const highlighted = () =>
  search().evaluate((field) => {
    const id = field.getAttribute('aria-activedescendant')
    const active = id === null ? null : document.getElementById(id)
    return active?.hasAttribute('data-highlighted') ? active.textContent : null
  })
const untilHighlighted = (name: RegExp) =>
  until(`${name} is highlighted`, async () => name.test((await highlighted()) ?? ''))

test('apps and pages are found by a part of their names, with the keyboard alone', async () => {
  await at('/main')
  await page.getByRole('button', { name: 'Search' }).first().click()
  await search().fill('HELL')
  await option(/^hello/).waitFor()
  await browser.look('search')
  await untilHighlighted(/^hello/)
  await page.keyboard.press('Enter')
  await page.waitForURL(`**${app.path}`)
  await page.keyboard.press('Control+k')
  await search().fill('variab')
  await option(/^Variables/).waitFor()
  expect(await highlighted()).toMatch(/^Variables/)
  await page.keyboard.press('Enter')
  await page.waitForURL(`**${app.path}/variables`)
  await page.keyboard.press('Control+k')
  await search().fill('no such thing')
  await page.getByText('Nothing is called “no such thing”.').waitFor()
  await page.keyboard.press('Escape')
  await search().waitFor({ state: 'detached' })
})

test('Enter opens what is highlighted for the words that are typed, however late the answer about apps comes', async () => {
  await at(app.path)
  let letThrough = Promise.withResolvers<void>()
  letThrough.resolve()
  const questions = /\/api\/v1\/teams\/[^/]+\/apps\?/
  await page.route(questions, async (route) => {
    await letThrough.promise
    // A question that was given up meanwhile.
    await route.continue().catch(() => {})
  })
  // No answer to these words: what was found for the words before is not shown as if it were for these.
  await page.keyboard.press('Control+k')
  await option(/^hello/).waitFor()
  letThrough = Promise.withResolvers()
  await search().fill('variab')
  await option(/^Variables/).waitFor()
  expect(await highlighted()).toMatch(/^Variables/)
  expect(await option(/^hello/).count()).toBe(0)
  await page.keyboard.press('Enter')
  await page.waitForURL(`**${app.path}/variables`)
  letThrough.resolve()

  // A late answer: the first is still the first, and who has chosen another has it still.
  for (const steps of [0, 2]) {
    await at(app.path)
    letThrough = Promise.withResolvers()
    await page.keyboard.press('Control+k')
    await search().fill('e')
    await option(/^Overview/)
      .first()
      .waitFor()
    expect(await option(/^hello/).count()).toBe(0)
    for (let step = 0; step < steps; step++) await page.keyboard.press('ArrowDown')
    const names = await page.getByRole('option').allTextContents()
    expect(await highlighted()).toBe(names[steps])
    letThrough.resolve()
    await option(/^hello/).waitFor()
    expect(await highlighted()).toBe(names[steps])
    await search().fill('hell')
    await untilHighlighted(/^hello/)
    await page.keyboard.press('Enter')
    await page.waitForURL(`**${app.path}`)
  }
  await page.unroute(questions)
})

test('an app that is deleted while one searches is listed no more, and one that is made is', async () => {
  // So many that one answer has not all of them.
  const made: string[] = []
  for (let number = 1; number <= 9; number++) made.push((await make(`Well ${number}`)).id)
  await at('/main')
  await page.keyboard.press('Control+k')
  await search().fill('we')
  await option(/^Well 7/).waitFor()
  await search().fill('well')
  await option(/^Well 8/).waitFor()
  expect(await option(/^Well/).count()).toBe(8)
  for (const [words, place] of [
    ['well', 2],
    ['well 5', 4],
  ] as const) {
    await search().fill(words)
    await option(new RegExp(`^Well ${place + 1}`)).waitFor()
    await dashboard.berth.api('DELETE', `/apps/${made[place]}`)
    await option(new RegExp(`^Well ${place + 1}`)).waitFor({ state: 'detached' })
  }
  await page.getByText('Nothing is called “well 5”.').waitFor()
  await make('Well 5 again')
  await option(/^Well 5 again/).waitFor()
})
