/** A real Chromium, driven by Playwright, with a profile of its own. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { until } from './until.ts'

export interface TestBrowser {
  context: BrowserContext
  page: Page
  /** Opens an address. Chromium breaks off what it loads when an interface comes or goes, as at each deployment: then again. */
  open(url: string): Promise<void>
  /** Which language the pages of this site speak from now on. */
  speak(locale: 'en' | 'zh-CN', site: string): Promise<void>
  /** Saves what the page looks like, where a developer can look at it: test/e2e/screenshots (not in git). */
  picture(name: string): Promise<void>
  /** The same in light and dark, on a desk and on a phone; `inTheme` looks at the page in each of the themes. */
  pictures(name: string, inTheme?: (colorScheme: 'light' | 'dark') => Promise<void>): Promise<void>
  /** Leaves these pictures of the page as it is now, and expects that everybody can use it, in both themes. */
  look(name: string): Promise<void>
  /** Expects that no phone is too narrow for the page. */
  fitsOnPhone(name: string): Promise<void>
  /**
   * Opens the address in each language and, once it is ready, leaves pictures, expects that everybody can use it, and that
   * no phone is too narrow for it.
   */
  lookInBoth(name: string, url: string, ready?: () => Promise<unknown>): Promise<void>
  /** Opens the address in Chinese, leaves pictures, expects that no phone is too narrow for it, and comes back. */
  lookInChinese(name: string, url: string): Promise<void>
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
  const browser: TestBrowser = {
    context,
    page,
    picture,
    async open(url) {
      await until(`${url} opens`, async () => (await page.goto(url)) !== null)
    },
    speak: (value, site) => context.addCookies([{ name: 'berth-locale', value, url: new URL(site).origin }]),
    async pictures(name, inTheme) {
      // It comes a moment after the rest of a page that one goes to within the dashboard.
      await page.waitForFunction(() => document.title !== '')
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
    look: (name) =>
      browser.pictures(name, async (theme) => {
        const { violations } = await new AxeBuilder({ page }).analyze()
        const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
        expect(grave.map(({ id, nodes }) => `${name}, ${theme}: ${id} at ${nodes[0]?.target}`)).toEqual([])
      }),
    async fitsOnPhone(name) {
      await page.setViewportSize(phone)
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect([name, tooWide]).toEqual([name, 0])
      await page.setViewportSize(desk)
    },
    async lookInBoth(name, url, ready) {
      for (const locale of ['zh-CN', 'en'] as const) {
        await browser.speak(locale, url)
        await browser.open(url)
        await ready?.()
        await browser.look(`${name}-${locale}`)
        await browser.fitsOnPhone(`${name}-${locale}`)
      }
    },
    async lookInChinese(name, url) {
      await browser.speak('zh-CN', url)
      await browser.open(url)
      expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN')
      expect(await page.locator('h1').first().textContent()).not.toBe('')
      expect(await page.title()).toMatch(/.+ · Berth$/)
      await browser.pictures(`${name}-zh`)
      await browser.fitsOnPhone(name)
      await browser.speak('en', url)
    },
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
  return browser
}
