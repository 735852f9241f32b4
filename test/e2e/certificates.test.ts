import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Domain } from '../../platform/model/domains.ts'
import { makeCertificates } from '../support/certificates.ts'
import { becomeOwner, type Dashboard, startDashboard } from '../support/dashboard.ts'
import { get } from '../support/edge.ts'
import { type NameServer, startNameServer } from '../support/name-server.ts'
import { type Pebble, startPebble } from '../support/pebble.ts'
import { getSecurely } from '../support/tls-edge.ts'
import { until } from '../support/until.ts'

// One way in order: a name of the world's gets a certificate of a real authority, all of it in the browser. What
// happens by itself is waited for on the page as it is: nothing loads it again.
let dashboard: Dashboard
let page: Page
let names: NameServer
let pebble: Pebble
let app: { id: string; path: string }
const records = { txt: {} as Record<string, string>, a: {} as Record<string, string> }

beforeAll(async () => {
  names = await startNameServer()
  await names.say(records)
  process.env.BERTH_DNS_SERVERS = names.address
  process.env.BERTH_PRIVATE_HOSTS = '127.0.0.1'
  dashboard = await startDashboard()
  page = dashboard.browser.page
  pebble = await startPebble({ httpPort: dashboard.berth.port, dnsServer: names.address })
})

afterAll(async () => {
  await dashboard?.close()
  await Promise.all([pebble?.close(), names?.close()])
})

const button = (name: string | RegExp) => page.getByRole('button', { name })
const at = (path: string) => dashboard.browser.open(`${dashboard.url}${path}`)
const look = (name: string) => dashboard.browser.look(name)
const dialog = () => page.getByRole('dialog')

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await dashboard.berth.api(method, path, body)
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
  return answer.body as T
}

async function domainOf(name: string): Promise<Domain | undefined> {
  const { data } = await ask<{ data: Domain[] }>('GET', `/apps/${app.id}/domains`)
  return data.find((each) => each.name === name)
}

/** Adds a name in the browser and shows by its record that it is the team's. */
async function addShown(name: string): Promise<void> {
  await at(`${app.path}/domains`)
  await button('Add domain').click()
  await dialog().getByLabel('Name').fill(name)
  await dialog().getByRole('button', { name: 'Add domain' }).click()
  await page.getByText(`_berth-challenge.${name.replace('*.', '')}`, { exact: true }).waitFor()
  const record = (await domainOf(name))?.record
  if (record) records.txt[record.name] = record.value
  await names.say(records)
  await button(`Check ${name} now`).click()
}

test('an administrator names the authority, and what is wrong is said at its field', async () => {
  await becomeOwner(dashboard)
  await at('/admin/certificates')
  await page.getByText('This one is Let’s Encrypt’s.').waitFor()
  await page.getByLabel('Directory').fill('http://acme.example')
  await page.getByText('This one is Let’s Encrypt’s.').waitFor({ state: 'detached' })
  await button('Save').click()
  await page.getByText(/^The authority asks that its terms/).waitFor()
  expect(await page.getByLabel('Directory').inputValue()).toBe('http://acme.example')
  await page.getByLabel('Directory').fill(pebble.directoryUrl)
  await page.getByText('A private authority').click()
  await page.getByLabel('Its own root').fill(pebble.authority)
  await page.getByLabel('I agree to the authority’s terms of service.').check()
  await button('Save').click()
  await page.getByText('Berth asks for an account when').waitFor()
  await look('acme')
})

test('a name gets a certificate, every step is on its page, and visitors are sent to HTTPS', async () => {
  const { data } = await ask<{ data: { id: string; slug: string }[] }>('GET', '/teams/main/apps')
  const [first] = data
  if (first === undefined) throw new Error('no app')
  const { data: projects } = await ask<{ data: { slug: string }[] }>('GET', '/teams/main/projects')
  app = { id: first.id, path: `/main/${projects[0]?.slug}/${first.slug}` }
  const settings = await readFile(`${dashboard.berth.home}/settings.json`, 'utf8')
  const { port, httpsPort } = JSON.parse(settings)
  records.a['shop.example'] = '127.0.0.1'
  await addShown('shop.example')
  await page.getByText(/^HTTPS with a certificate that is good until/).waitFor()
  await page.getByText('How it was issued').click()
  await page.getByText('The authority found it.').waitFor()
  await look('domain-issued')
  const ca = await pebble.root()
  const answer = await until('it is served by HTTPS', () =>
    getSecurely(httpsPort, 'shop.example', { ca }).catch(() => null),
  )
  expect(answer).toMatchObject({ status: 200 })
  const sent = await get(port, 'shop.example', { path: '/a?b=c' })
  expect(sent).toMatchObject({
    status: 308,
    headers: { location: `https://shop.example:${httpsPort}/a?b=c` },
  })
})

test('a name that leads nowhere gets none, and its page says why and when it is tried again', async () => {
  await addShown('nowhere.example')
  await page.getByText('No certificate was issued.').waitFor()
  await page.getByText(/^Where the name leads: the name leads nowhere yet/).waitFor()
  await page.getByText(/^Berth tries again on/).waitFor()
  await look('domain-not-issued')
  await dashboard.browser.lookInChinese('domains', `${dashboard.url}${app.path}/domains`)
  await at(`${app.path}/domains`)
  records.a['nowhere.example'] = '127.0.0.1'
  await names.say(records)
  await button('Ask for a certificate for nowhere.example now').click()
  await page.getByText('No certificate was issued.').waitFor({ state: 'detached' })
  await until('both have one', async () => {
    return (await page.getByText(/^HTTPS with a certificate that is good until/).count()) === 2
  })
})

test('a wildcard says which record the authority wants to see, and goes on when it is there', async () => {
  const record = page.locator('dd').filter({ hasText: '_acme-challenge.wild.example' })
  await addShown('*.wild.example')
  await page.getByText(/^For a wildcard the authority wants to see a record/).waitFor()
  await page.getByText('The TXT record _acme-challenge.wild.example is not seen yet.').waitFor()
  await record.waitFor()
  await look('domain-wildcard')
  const domain = await domainOf('*.wild.example')
  records.txt['_acme-challenge.wild.example'] = domain?.issuance?.record?.value ?? ''
  await names.say(records)
  await button('Ask for a certificate for *.wild.example now').click()
  await record.waitFor({ state: 'detached' })
  await until('it has one', async () => (await page.getByText('How it was issued').count()) === 3)
})

test('a certificate is uploaded; one of another name is refused at its field', async () => {
  const { cert, key } = makeCertificates()
  await at(`${app.path}/domains`)
  await button('Upload a certificate for nowhere.example').click()
  await dialog().getByLabel('Certificate and chain').fill(cert)
  await dialog().getByLabel('Private key').fill(key)
  await dialog().getByRole('button', { name: 'Upload certificate' }).click()
  await dialog().getByText('The certificate is not for nowhere.example.').waitFor()
  await look('certificate-refused')
})
