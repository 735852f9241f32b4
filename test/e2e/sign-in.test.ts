import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { linkIn, type MailServer, startMailServer } from '../support/mail-server.ts'
import { type OidcIssuer, startOidcIssuer } from '../support/oidc-issuer.ts'
import { codeOf } from '../support/totp.ts'
import { until } from '../support/until.ts'

// One administrator's way, and others' beside it, in order: each test goes on where the one before stopped.
let berth: BerthHome
let browser: TestBrowser
let page: Page
let guest: TestBrowser
let mail: MailServer
let issuer: OidcIssuer
let dashboard: string
let password = 'a long enough password'
let secret = ''

beforeAll(async () => {
  berth = await makeBerthHome()
  const started = await berth.up()
  dashboard = started.dashboard ?? ''
  mail = await startMailServer()
  issuer = await startOidcIssuer({ redirectUris: [`${dashboard}/api/auth/callback/corp`] })
  browser = await openBrowser()
  guest = await openBrowser()
  page = browser.page
  await open(page, started.setupLink ?? '')
  await page.getByLabel('Your name').fill('Ada Owner')
  await page.getByLabel('E-mail').fill('ada@example.org')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Become the owner' }).click()
  await page.waitForURL('**/main')
})

afterAll(async () => {
  await guest?.close()
  await browser?.close()
  await issuer?.close()
  await mail?.close()
  await berth?.close()
})

/** Chromium breaks off what it loads when an interface comes or goes: then again. */
const open = (at: Page, url: string) => until(`${url} opens`, async () => (await at.goto(url)) !== null)

/** Pictures in both themes and languages, on a desk and on a phone, which everybody can use and which is not too wide. */
async function look(of: TestBrowser, name: string, path: string): Promise<void> {
  await of.pictures(name, async (theme) => {
    const { violations } = await new AxeBuilder({ page: of.page }).analyze()
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    expect(grave.map(({ id, nodes }) => `${name}, ${theme}: ${id} at ${nodes[0]?.target}`)).toEqual([])
  })
  await of.page.context().addCookies([{ name: 'berth-locale', value: 'zh-CN', url: dashboard }])
  await open(of.page, `${dashboard}${path}`)
  expect(await of.page.locator('html').getAttribute('lang')).toBe('zh-CN')
  await of.pictures(`${name}-zh`)
  await of.page.setViewportSize({ width: 390, height: 844 })
  const tooWide = await of.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect([name, tooWide]).toEqual([name, 0])
  await of.page.setViewportSize({ width: 1440, height: 900 })
  await of.page.context().addCookies([{ name: 'berth-locale', value: 'en', url: dashboard }])
  await open(of.page, `${dashboard}${path}`)
}

async function signIn(at: Page, email: string, with_: string): Promise<void> {
  await at.getByLabel('E-mail').fill(email)
  await at.getByLabel('Password', { exact: true }).fill(with_)
  await at.getByRole('button', { name: 'Sign in', exact: true }).click()
}

test('an administrator sets the mail server up and sees what it says to a test message', async () => {
  await open(page, `${dashboard}/admin/sign-in`)
  await page.getByLabel('Server').fill('127.0.0.1')
  await page.getByRole('combobox', { name: 'Security' }).click()
  await page.getByRole('option', { name: 'None, for a server on this machine' }).click()
  await page.getByLabel('Port').fill(String(mail.port))
  await page.getByLabel('From (address)').fill('berth@example.org')
  await page.getByRole('region', { name: 'E-mail' }).getByRole('button', { name: 'Save changes' }).click()
  await page.getByRole('button', { name: 'Send test' }).click()
  await page.getByText('taken as test-1').waitFor()
  expect(mail.received.map(({ to }) => to)).toEqual([['ada@example.org']])
  mail.refuse({ code: 550, text: '5.1.1 No such mailbox' })
  await page.getByRole('button', { name: 'Send test' }).click()
  await page.getByText('550 5.1.1 No such mailbox').waitFor()
  mail.refuse(null)
})

test('an administrator adds a provider, and people sign in by it', async () => {
  await page.getByRole('button', { name: 'Add provider' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a sign-in provider' })
  await dialog.getByLabel('Name').fill('Corp')
  await dialog.getByLabel('Id', { exact: true }).fill('corp')
  await dialog.getByText(`${dashboard}/api/auth/callback/corp`).waitFor()
  await dialog.getByLabel('Issuer').fill(issuer.url)
  await dialog.getByLabel('Client id').fill(issuer.client.id)
  await dialog.getByLabel('Client secret').fill(issuer.client.secret)
  await dialog.getByRole('button', { name: 'Add provider' }).click()
  await dialog.getByText('would be asked without TLS').waitFor()
  await dialog.getByRole('checkbox', { name: 'Is in a private network' }).check()
  await dialog.getByRole('checkbox', { name: 'Lets people make accounts' }).check()
  await browser.pictures('add-provider')
  await dialog.getByRole('button', { name: 'Add provider' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('list', { name: 'Sign-in providers' }).getByText(issuer.url).waitFor()
  await look(browser, 'sign-in-settings', '/admin/sign-in')

  await open(guest.page, `${dashboard}/sign-in?next=/account`)
  await look(guest, 'sign-in-providers', '/sign-in?next=/account')
  issuer.person = { sub: '1', email: 'grace@corp.example', email_verified: false, name: 'Grace Guest' }
  await guest.page.getByRole('button', { name: 'Sign in with Corp' }).click()
  await guest.page.getByText('no e-mail address that was verified').waitFor()
  issuer.person = { ...issuer.person, email_verified: true }
  await open(guest.page, `${dashboard}/sign-in?next=/account`)
  await guest.page.getByRole('button', { name: 'Sign in with Corp' }).click()
  await guest.page.waitForURL('**/account')
  await guest.page.getByText('grace@corp.example').first().waitFor()
  await guest.page.getByText('This account has no password.').waitFor()
  await guest.page.getByRole('button', { name: 'Unlink' }).click()
  await guest.page
    .getByRole('dialog', { name: 'Unlink Corp?' })
    .getByRole('button', { name: 'Unlink' })
    .click()
  await guest.page.getByText('the only way to sign in').waitFor()
})

test('somebody links the provider to an account with its password, and signs in with a code after it', async () => {
  await open(page, `${dashboard}/account`)
  issuer.person = { sub: '2', email: 'ada@private.example', email_verified: false }
  await page.getByRole('button', { name: 'Link Corp' }).click()
  await page.getByRole('dialog').getByLabel('Your password').fill(password)
  await page.getByRole('dialog').getByRole('button', { name: 'Continue' }).click()
  await page.getByText('Linked. From now on it signs you in.').waitFor()
  await look(browser, 'account-identities', '/account')
  await page.getByRole('button', { name: 'Set up' }).click()
  // Called otherwise in its last step; notes of what was done are dialogs, too.
  const dialog = page
    .getByRole('dialog')
    .filter({ has: page.getByRole('heading', { name: /sign-in|codes/ }) })
  await dialog.getByLabel('Your password').fill(password)
  await dialog.getByRole('button', { name: 'Continue' }).click()
  secret = await dialog.getByLabel('Key', { exact: true }).inputValue()
  await dialog.getByLabel('Code from the app').fill(codeOf(secret))
  await dialog.getByRole('button', { name: 'Turn on' }).click()
  await dialog.getByText('Each signs you in once').waitFor()
  const [recovery = ''] = await dialog.getByRole('listitem').allTextContents()
  await dialog.getByRole('button', { name: 'Done' }).click()

  await guest.context.clearCookies()
  await open(guest.page, `${dashboard}/sign-in?next=/account`)
  await guest.page.getByRole('button', { name: 'Sign in with Corp' }).click()
  await guest.page.getByLabel('Code').fill('000000')
  await guest.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await guest.page.getByText('The code is not right, or was used before.').waitFor()
  await guest.page.getByLabel('Code').fill(codeOf(secret, { ahead: true }))
  await guest.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await guest.page.waitForURL('**/account')
  await guest.page.getByText('ada@example.org').first().waitFor()

  await guest.context.clearCookies()
  await open(guest.page, `${dashboard}/sign-in`)
  await signIn(guest.page, 'ada@example.org', password)
  await guest.page.getByLabel('Code').fill(recovery)
  await guest.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await guest.page.waitForURL('**/main')
})

test('a forgotten password: from the sign-in page by a letter to a new one, which ends all sessions', async () => {
  await guest.context.clearCookies()
  await open(guest.page, `${dashboard}/sign-in`)
  await guest.page.getByRole('link', { name: 'Forgot your password?' }).click()
  await guest.page.getByLabel('E-mail').fill('ada@example.org')
  await look(guest, 'forgot', '/forgot')
  await guest.page.getByLabel('E-mail').fill('nobody@example.org')
  await guest.page.getByRole('button', { name: 'Send the link' }).click()
  await guest.page.getByText('If nobody@example.org has an account here').waitFor()
  await open(guest.page, `${dashboard}/forgot`)
  await guest.page.getByLabel('E-mail').fill('ada@example.org')
  await guest.page.getByRole('button', { name: 'Send the link' }).click()
  await guest.page.getByText('If ada@example.org has an account here').waitFor()
  const letter = await until('the letter comes', () =>
    mail.received.find(({ raw }) => raw.includes('A new password for Berth')),
  )
  expect(letter.to).toEqual(['ada@example.org'])
  const link = linkIn(letter, 'reset')
  await open(guest.page, link)
  await look(guest, 'reset', link.replace(dashboard, ''))
  await guest.page.getByLabel('Password', { exact: true }).fill('password1234')
  await guest.page.getByRole('button', { name: 'Set the password' }).click()
  await guest.page.getByText('Too easy to guess').waitFor()
  password = 'several quite unlikely words'
  await guest.page.getByLabel('Password', { exact: true }).fill(password)
  await guest.page.getByRole('button', { name: 'Set the password' }).click()
  await guest.page.getByText('Your password is set').waitFor()
  await open(guest.page, link)
  await guest.page.getByRole('heading', { name: 'This link is not valid' }).waitFor()
  await open(page, `${dashboard}/main`)
  await page.waitForURL('**/sign-in**')
  await signIn(page, 'ada@example.org', password)
  await page.getByLabel('Code').waitFor()
  expect(mail.received.flatMap(({ to }) => to)).not.toContain('nobody@example.org')
})

test('somebody makes an account by a letter where that is open; a provider that is away is a sentence', async () => {
  const { status } = await berth.api('PUT', '/admin/registration', { registration: 'open' })
  expect(status).toBe(200)
  await open(guest.page, `${dashboard}/sign-in`)
  await guest.page.getByRole('link', { name: 'Make an account' }).click()
  await guest.page.getByLabel('E-mail').fill('linus@example.net')
  await look(guest, 'register', '/register')
  await guest.page.getByLabel('E-mail').fill('linus@example.net')
  await guest.page.getByRole('button', { name: 'Send the link' }).click()
  const letter = await until('the letter comes', () =>
    mail.received.find(({ to }) => to[0] === 'linus@example.net'),
  )
  await open(guest.page, linkIn(letter, 'register'))
  await guest.page.getByLabel('Your name').fill('Linus New')
  await guest.page.getByLabel('Password', { exact: true }).fill('three unlikely words')
  await guest.page.getByRole('button', { name: 'Make the account' }).click()
  await guest.page.waitForURL(`${dashboard}/`)
  await guest.page.getByText('Linus New').first().waitFor()

  await guest.context.clearCookies()
  await berth.api('PATCH', '/admin/sign-in-providers/corp', { allowsPrivate: false, issuer: issuer.url })
  await issuer.close()
  await open(guest.page, `${dashboard}/sign-in`)
  await guest.page.getByRole('button', { name: 'Sign in with Corp' }).click()
  await guest.page.getByText('The sign-in provider does not answer right now.').waitFor()
})
