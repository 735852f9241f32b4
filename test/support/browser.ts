/** A real Chromium, driven by Playwright, with a profile of its own. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

export interface TestBrowser {
  context: BrowserContext
  page: Page
  /** Saves what the page looks like, where a developer can look at it: test/e2e/screenshots (not in git). */
  picture(name: string): Promise<void>
  /** The same in light and dark, on a desk and on a phone; `inTheme` looks at the page in each of the themes. */
  pictures(name: string, inTheme?: (colorScheme: 'light' | 'dark') => Promise<void>): Promise<void>
  close(): Promise<void>
}

const folder = join(import.meta.dirname, '../e2e/screenshots')
const desk = { width: 1440, height: 900 }
const phone = { width: 390, height: 844 }

export async function openBrowser(): Promise<TestBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'berth-chromium-'))
  await mkdir(folder, { recursive: true })
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    locale: 'en-US',
    viewport: desk,
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
  const picture = async (name: string) => {
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
  }
  return {
    context,
    page,
    picture,
    async pictures(name, inTheme) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        await picture(`${name}-${colorScheme}`)
        await inTheme?.(colorScheme)
        await page.setViewportSize(phone)
        await picture(`${name}-${colorScheme}-phone`)
        await page.setViewportSize(desk)
      }
      await page.emulateMedia({ colorScheme: 'light' })
    },
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}
