import { join } from 'node:path'
import type { BenchContext } from '../bench.ts'
import type { BerthInstallation } from './installation.ts'

/** The owner of an installation, with a browser that has seen none of its pages. */
export interface Visitor {
  /** Milliseconds until the page showed anything, and until it showed this text. */
  visit(path: string, text: string): Promise<{ firstMs: number; wholeMs: number }>
}

/** Becomes the owner by the set-up link, as people do. */
export async function openVisitor(
  { api, host }: BerthInstallation,
  { folder, defer }: BenchContext,
): Promise<Visitor> {
  // A package for developers, which an image of the platform does not have: other benches do without it.
  const { chromium } = await import('playwright-core')
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
    env: { ...process.env, HOME: join(folder, 'chromium') },
  })
  defer(() => browser.close())
  const first = await browser.newContext({ locale: 'en-US' })
  const page = await first.newPage()
  await page.goto((await api.post<{ url: string }>('/operator/setup-link')).url)
  await page.getByLabel('Your name').fill('Bench')
  await page.getByLabel('E-mail').fill('bench@example.org')
  await page.getByLabel('Password', { exact: true }).fill('a bench has long passwords')
  await page.getByRole('button', { name: 'Become the owner' }).click()
  await page.waitForURL((url) => url.pathname !== '/setup')
  const storageState = await first.storageState()
  await first.close()
  return {
    async visit(path, text) {
      const context = await browser.newContext({ locale: 'en-US', storageState })
      try {
        const page = await context.newPage()
        await page.goto(`http://${host}${path}`, { waitUntil: 'commit' })
        await page.locator('main').getByText(text, { exact: true }).first().waitFor()
        const wholeMs = await page.evaluate(() => performance.now())
        await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0)
        const firstMs = await page.evaluate(
          () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
        )
        return { firstMs, wholeMs }
      } finally {
        await context.close()
      }
    },
  }
}
