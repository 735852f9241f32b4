/** A real Chromium, driven by Playwright, with a profile of its own. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

export interface TestBrowser {
  context: BrowserContext
  page: Page
  /** Saves what the page looks like, where a developer can look at it: test/e2e/screenshots (not in git). */
  picture(name: string, options?: { width?: number; dark?: boolean }): Promise<void>
  close(): Promise<void>
}

const folder = join(import.meta.dirname, '../e2e/screenshots')

export async function openBrowser(): Promise<TestBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'berth-chromium-'))
  await mkdir(folder, { recursive: true })
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    locale: 'en-US',
    viewport: { width: 1280, height: 900 },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  })
  context.setDefaultTimeout(60_000)
  context.setDefaultNavigationTimeout(60_000)
  const page = context.pages()[0] ?? (await context.newPage())
  return {
    context,
    page,
    async picture(name, { width = 1280, dark = false } = {}) {
      await page.setViewportSize({ width, height: width < 600 ? 844 : 900 })
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
      await page.setViewportSize({ width: 1280, height: 900 })
      await page.emulateMedia({ colorScheme: 'light' })
    },
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}
