import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BerthHome } from '../support/berth-home.ts'
import type { TestBrowser } from '../support/browser.ts'
import { type OwnedDashboard, startAsOwner, type WelcomeApp } from '../support/dashboard.ts'

// Where the source is, and a push that goes live, in the browser; the second test goes on where the first stopped.
let berth: BerthHome
let browser: TestBrowser
let page: Page
let dashboard: OwnedDashboard
let folder: string
let app: WelcomeApp

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-e2e-git-'))
  dashboard = await startAsOwner()
  ;({ berth, browser, page, app } = dashboard)
})

afterAll(async () => {
  await dashboard?.close()
  rmSync(folder, { recursive: true, force: true })
})

const at = (path: string) => dashboard.at(path)

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
  await browser.lookInBoth('git', `${dashboard.url}${app.path}/git`)
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
