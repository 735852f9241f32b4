/** An installation with its owner in a browser: what a test of the dashboard begins with. */
import { type BerthHome, makeBerthHome } from './berth-home.ts'
import { openBrowser, type TestBrowser } from './browser.ts'

/** Who `becomeOwner` is. */
export const owner = { name: 'Ada Owner', email: 'ada@example.org', password: 'a long enough password' }

export interface Dashboard {
  berth: BerthHome
  browser: TestBrowser
  /** Where it is, without a slash at its end. */
  url: string
  setupLink: string
  /** Of the app that an installation comes with, in the team main. */
  welcome: string
  close(): Promise<void>
}

/** Nobody has followed the set-up link yet. */
export async function startDashboard(): Promise<Dashboard> {
  const berth = await makeBerthHome()
  const browser = await openBrowser()
  const close = async () => {
    await browser.close()
    await berth.close()
  }
  try {
    const { dashboard = '', setupLink = '', welcome = '' } = await berth.up()
    return { berth, browser, url: dashboard, setupLink, welcome, close }
  } catch (error) {
    await close()
    throw error
  }
}

export async function becomeOwner({ browser, setupLink }: Dashboard): Promise<void> {
  const { page } = browser
  await browser.open(setupLink)
  await page.getByLabel('Your name').fill(owner.name)
  await page.getByLabel('E-mail').fill(owner.email)
  await page.getByLabel('Password', { exact: true }).fill(owner.password)
  await page.getByRole('button', { name: 'Become the owner' }).click()
  await page.waitForURL('**/main')
}

export interface Guest {
  name: string
  email: string
  password: string
  role: string
}

/** Somebody whom the operator invites makes an account in this browser. */
export async function join(
  { berth }: Dashboard,
  { open, page }: TestBrowser,
  team: string,
  { name, email, password, role }: Guest,
): Promise<void> {
  const { body } = await berth.api('POST', `/teams/${team}/invitations`, { email, role })
  await open((body as { url: string }).url)
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Create account and join' }).click()
  await page.waitForURL(`**/${team}`)
}
