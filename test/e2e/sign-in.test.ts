import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { becomeOwner, type Dashboard, owner, startDashboard } from '../support/dashboard.ts'
import { linkIn, type MailServer, startMailServer } from '../support/mail-server.ts'
import { type OidcIssuer, startOidcIssuer } from '../support/oidc-issuer.ts'
import { codeOf } from '../support/totp.ts'
import { until } from '../support/until.ts'

// One administrator's way, and others' beside it, in order: each test goes on where the one before stopped.
let dashboard: Dashboard
let page: Page
let guest: TestBrowser
let mail: MailServer
let issuer: OidcIssuer
let { password } = owner
let secret = ''

beforeAll(async () => {
  dashboard = await startDashboard()
  page = dashboard.browser.page
  mail = await startMailServer()
  issuer = await startOidcIssuer({ redirectUris: [`${dashboard.url}/api/auth/callback/corp`] })
  guest = await openBrowser()
  await becomeOwner(dashboard)
})

afterAll(async () => {
  await guest?.close()
  await issuer?.close()
  await mail?.close()
  await dashboard?.close()
})

const open = (of: TestBrowser, path: string) => of.open(new URL(path, dashboard.url).href)

/** Pictures in both themes and languages of a page that everybody can use. */
async function look(of: TestBrowser, name: string, path: string): Promise<void> {
  await of.look(name)
  await of.lookInChinese(name, `${dashboard.url}${path}`)
  await open(of, path)
}

async function signIn(at: Page, email: string, with_: string): Promise<void> {
  await at.getByLabel('E-mail').fill(email)
  await at.getByLabel('Password', { exact: true }).fill(with_)
  await at.getByRole('button', { name: 'Sign in', exact: true }).click()
}

test('an administrator sets the mail server up and sees what it says to a test message', async () => {
  await open(dashboard.browser, '/admin/sign-in')
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
  await dialog.getByText(`${dashboard.url}/api/auth/callback/corp`).waitFor()
  await dialog.getByLabel('Issuer').fill(issuer.url)
  await dialog.getByLabel('Client id').fill(issuer.client.id)
  await dialog.getByLabel('Client secret').fill(issuer.client.secret)
  await dialog.getByRole('button', { name: 'Add provider' }).click()
  await dialog.getByText('would be asked without TLS').waitFor()
  await dialog.getByRole('checkbox', { name: 'Is in a private network' }).check()
  await dialog.getByRole('checkbox', { name: 'Lets people make accounts' }).check()
  await dashboard.browser.pictures('add-provider')
  await dialog.getByRole('button', { name: 'Add provider' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('list', { name: 'Sign-in providers' }).getByText(issuer.url).waitFor()
  await look(dashboard.browser, 'sign-in-settings', '/admin/sign-in')

  await open(guest, '/sign-in?next=/account')
  await look(guest, 'sign-in-providers', '/sign-in?next=/account')
  issuer.person = { sub: '1', email: 'grace@corp.example', email_verified: false, name: 'Grace Guest' }
  await guest.page.getByRole('button', { name: 'Sign in with Corp' }).click()
  await guest.page.getByText('no e-mail address that was verified').waitFor()
  issuer.person = { ...issuer.person, email_verified: true }
  await open(guest, '/sign-in?next=/account')
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

test('who is invited joins with an account of the provider, too', async () => {
  const invitation = { email: 'heidi@corp.example', role: 'viewer' }
  const { body } = await dashboard.berth.api('POST', '/teams/main/invitations', invitation)
  expect(body).toMatchObject({ mailed: true, url: null })
  const letter = await until('the letter comes', () =>
    mail.received.find(({ to }) => to[0] === invitation.email),
  )
  const link = new URL(linkIn(letter, 'join'))
  const rule = async (letsRegister: boolean) =>
    (await dashboard.berth.api('PATCH', '/admin/sign-in-providers/corp', { letsRegister })).status
  expect(await rule(false)).toBe(200)
  await guest.context.clearCookies()
  await open(guest, link.href)
  await look(guest, 'join-providers', `${link.pathname}${link.search}`)
  issuer.person = { sub: '3', email: 'heidi@corp.example', email_verified: true, name: 'Heidi' }
  await guest.page.getByRole('button', { name: 'Sign in with Corp' }).click()
  await guest.page.waitForURL('**/join?token=*')
  await guest.page.getByRole('button', { name: 'Join the team' }).click()
  await guest.page.waitForURL('**/main')
  expect(await rule(true)).toBe(200)
})

test('somebody links the provider to an account with its password, and signs in with a code after it', async () => {
  await open(dashboard.browser, '/account')
  issuer.person = { sub: '2', email: 'ada@private.example', email_verified: false }
  await page.getByRole('button', { name: 'Link Corp' }).click()
  await page.getByRole('dialog').getByLabel('Your password').fill(password)
  await page.getByRole('dialog').getByRole('button', { name: 'Continue' }).click()
  await page.getByText('Linked. From now on it signs you in.').waitFor()
  await look(dashboard.browser, 'account-identities', '/account')
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
  await open(guest, '/sign-in?next=/account')
  await guest.page.getByRole('button', { name: 'Sign in with Corp' }).click()
  await guest.page.getByLabel('Code').fill('000000')
  await guest.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await guest.page.getByText('The code is not right, or was used before.').waitFor()
  await guest.page.getByLabel('Code').fill(codeOf(secret, { ahead: true }))
  await guest.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await guest.page.waitForURL('**/account')
  await guest.page.getByText('ada@example.org').first().waitFor()

  await guest.context.clearCookies()
  await open(guest, '/sign-in')
  await signIn(guest.page, 'ada@example.org', password)
  await guest.page.getByLabel('Code').fill(recovery)
  await guest.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await guest.page.waitForURL('**/main')
})

test('a forgotten password: from the sign-in page by a letter to a new one, which ends all sessions', async () => {
  await guest.context.clearCookies()
  await open(guest, '/sign-in')
  await guest.page.getByRole('link', { name: 'Forgot your password?' }).click()
  await guest.page.getByLabel('E-mail').fill('ada@example.org')
  await look(guest, 'forgot', '/forgot')
  await guest.page.getByLabel('E-mail').fill('nobody@example.org')
  await guest.page.getByRole('button', { name: 'Send the link' }).click()
  await guest.page.getByText('If nobody@example.org has an account here').waitFor()
  await open(guest, '/forgot')
  await guest.page.getByLabel('E-mail').fill('ada@example.org')
  // Who asks can't say where the link in the letter leads.
  await guest.page.route('**/forgot', (route) => {
    const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
    return route.continue({ headers: { ...route.request().headers(), ...forged } })
  })
  await guest.page.getByRole('button', { name: 'Send the link' }).click()
  await guest.page.getByText('If ada@example.org has an account here').waitFor()
  const letter = await until('the letter comes', () =>
    mail.received.find(({ raw }) => raw.includes('A new password for Berth')),
  )
  expect(letter.to).toEqual(['ada@example.org'])
  const link = linkIn(letter, 'reset')
  expect([new URL(link).origin, letter.raw.includes('evil.example')]).toEqual([dashboard.url, false])
  await guest.page.unroute('**/forgot')
  await open(guest, link)
  await look(guest, 'reset', link.replace(dashboard.url, ''))
  await guest.page.getByLabel('Password', { exact: true }).fill('password1234')
  await guest.page.getByRole('button', { name: 'Set the password' }).click()
  await guest.page.getByText('Too easy to guess').waitFor()
  password = 'several quite unlikely words'
  await guest.page.getByLabel('Password', { exact: true }).fill(password)
  await guest.page.getByRole('button', { name: 'Set the password' }).click()
  await guest.page.getByText('Your password is set').waitFor()
  await open(guest, link)
  await guest.page.getByRole('heading', { name: 'This link is not valid' }).waitFor()
  await open(dashboard.browser, '/main')
  await page.waitForURL('**/sign-in**')
  await signIn(page, 'ada@example.org', password)
  await page.getByLabel('Code').waitFor()
  expect(mail.received.flatMap(({ to }) => to)).not.toContain('nobody@example.org')
})

test('somebody makes an account by a letter where that is open; a provider that is away is a sentence', async () => {
  const { status } = await dashboard.berth.api('PUT', '/admin/registration', { registration: 'open' })
  expect(status).toBe(200)
  await open(guest, '/sign-in')
  await guest.page.getByRole('link', { name: 'Make an account' }).click()
  await guest.page.getByLabel('E-mail').fill('linus@example.net')
  await look(guest, 'register', '/register')
  await guest.page.getByLabel('E-mail').fill('linus@example.net')
  await guest.page.getByRole('button', { name: 'Send the link' }).click()
  const letter = await until('the letter comes', () =>
    mail.received.find(({ to }) => to[0] === 'linus@example.net'),
  )
  await open(guest, linkIn(letter, 'register'))
  await guest.page.getByLabel('Your name').fill('Linus New')
  await guest.page.getByLabel('Password', { exact: true }).fill('three unlikely words')
  await guest.page.getByRole('button', { name: 'Make the account' }).click()
  await guest.page.waitForURL(`${dashboard.url}/`)
  await guest.page.getByText('Linus New').first().waitFor()

  await guest.context.clearCookies()
  await dashboard.berth.api('PATCH', '/admin/sign-in-providers/corp', {
    allowsPrivate: false,
    issuer: issuer.url,
  })
  await issuer.close()
  await open(guest, '/sign-in')
  await guest.page.getByRole('button', { name: 'Sign in with Corp' }).click()
  await guest.page.getByText('The sign-in provider does not answer right now.').waitFor()
})
