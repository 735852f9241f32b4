/** An installation with its owner in a browser: what a test of the dashboard begins with. */
import type { Page } from 'playwright-core'
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

/** The app that an installation comes with. */
export interface WelcomeApp {
  id: string
  /** Of its pages, such as /main/first/welcome. */
  path: string
  image: string
}

export interface OwnedDashboard extends Dashboard {
  page: Page
  app: WelcomeApp
  /** Opens a page by its path. */
  at(path: string): Promise<void>
}

/** A platform with a team, its owner signed in, and an app: what most tests of a page begin with. */
export async function startAsOwner(): Promise<OwnedDashboard> {
  const dashboard = await startDashboard()
  try {
    await becomeOwner(dashboard)
    const { browser, url } = dashboard
    const at = (path: string) => browser.open(`${url}${path}`)
    return { ...dashboard, page: browser.page, at, app: await welcomeApp(dashboard) }
  } catch (error) {
    await dashboard.close()
    throw error
  }
}

async function welcomeApp({ berth }: Dashboard): Promise<WelcomeApp> {
  const listed = async <Row>(what: string) =>
    ((await berth.api('GET', `/teams/main/${what}`)).body as { data: Row[] }).data
  const [project] = await listed<{ slug: string }>('projects')
  const [app] = await listed<{ id: string; slug: string; settings: { image: string } }>('apps')
  if (project === undefined || app === undefined) throw new Error('there is no welcome app')
  return { id: app.id, path: `/main/${project.slug}/${app.slug}`, image: app.settings.image }
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
