import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { until } from '../support/until.ts'

// Where the source is, and a push that goes live, in the browser; the second test goes on where the first stopped.
let berth: BerthHome
let browser: TestBrowser
let page: Page
let dashboard: string
let folder: string
/** The welcome app, which is there from the start. */
let app: { id: string; path: string; image: string }

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-e2e-git-'))
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
  const [first] = (apps.body as { data: { id: string; slug: string; settings: { image: string } }[] }).data
  const path = `/main/${project?.slug}/${first?.slug}`
  app = { id: first?.id ?? '', path, image: first?.settings.image ?? '' }
})

afterAll(async () => {
  await browser?.close()
  await berth?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Chromium breaks off what it loads when an interface comes or goes: then again. */
const open = (url: string) => until(`${url} opens`, async () => (await page.goto(url)) !== null)
const at = (path: string) => open(`${dashboard}${path}`)

test('a repository, its deploy key and its webhook are set up on a page that everybody can use', async () => {
  await at(`${app.path}/git`)
  await page.getByLabel('Repository').fill('file:///etc')
  await page.getByRole('button', { name: 'Save changes' }).click()
  await page.getByText(/^Give an https:\/\/ or ssh:\/\/ address/).waitFor()
  await page.getByLabel('Repository').fill('git@9.9.9.9:acme/shop.git')
  await page.getByRole('button', { name: 'Save changes' }).click()
  await page.getByText(/^ssh-ed25519 AAAA/).waitFor()
  // What says that it was saved lies over the button for a while.
  await at(`${app.path}/git`)
  await page.getByRole('button', { name: 'Make a webhook' }).click()
  const dialog = page.getByRole('dialog', { name: 'Make a webhook' })
  await dialog.getByRole('button', { name: 'Make a webhook' }).click()
  expect(await page.getByLabel('Secret', { exact: true }).inputValue()).toMatch(/^whsec_/)
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByText(/\/api\/webhooks\/git\/\w{24}$/).waitFor()
  for (const locale of ['zh-CN', 'en'] as const) {
    await page.context().addCookies([{ name: 'berth-locale', value: locale, url: dashboard }])
    await at(`${app.path}/git`)
    await browser.pictures(`git-${locale}`, async (theme) => {
      const { violations } = await new AxeBuilder({ page }).analyze()
      const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      expect(grave.map(({ id, nodes }) => `${theme}: ${id} at ${nodes[0]?.target}`)).toEqual([])
    })
    await page.setViewportSize({ width: 390, height: 844 })
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect([locale, tooWide]).toEqual([locale, 0])
    await page.setViewportSize({ width: 1440, height: 900 })
  }
})

test('git push builds, goes live, and its commit is on the page of the deployment', async () => {
  const token = (await berth.run('token', 'create', '--team', 'main', '--name', 'push')).stdout.trim()
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${app.image}\nENV PUSHED=yes\n`)
  const git = (...args: string[]) =>
    new Promise<{ code: number; said: string }>((resolve) => {
      const all = ['-C', folder, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...args]
      execFile('git', all, (error, out, said) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: out + said }),
      )
    })
  await git('init', '-q', '-b', 'main')
  await git('add', '-A')
  await git('commit', '-q', '-m', 'Greet by push')
  const remote = `http://x:${token}@127.0.0.1:${berth.port}/git${app.path}.git`
  const { code, said } = await git('push', remote, 'main')
  expect(said).toContain('is live')
  expect(code).toBe(0)
  const number = /Deployment #(\d+) is live/.exec(said)?.[1]
  await at(`${app.path}/deployments/${number}`)
  await page.getByText('Greet by push').waitFor()
  await page.getByText('Live', { exact: true }).first().waitFor()
})
