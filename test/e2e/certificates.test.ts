import { readFile } from 'node:fs/promises'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { makeCertificates } from '../support/certificates.ts'
import { get } from '../support/edge.ts'
import { type NameServer, startNameServer } from '../support/name-server.ts'
import { type Pebble, startPebble } from '../support/pebble.ts'
import { getSecurely } from '../support/tls-edge.ts'
import { until } from '../support/until.ts'

// One way in order: a name of the world's gets a certificate of a real authority, all of it in the browser.
let berth: BerthHome
let browser: TestBrowser
let page: Page
let names: NameServer
let pebble: Pebble
let app: { id: string; path: string }
let httpsPort: number
let setupLink: string
let records: { txt: Record<string, string>; a: Record<string, string> }

beforeAll(async () => {
  names = await startNameServer()
  records = { txt: {}, a: {} }
  await names.say(records)
  berth = await makeBerthHome()
  pebble = await startPebble({ httpPort: berth.port, dnsServer: names.address })
  process.env.BERTH_DNS_SERVERS = names.address
  process.env.BERTH_PRIVATE_HOSTS = '127.0.0.1'
  const started = await berth.up()
  setupLink = started.setupLink ?? ''
  browser = await openBrowser()
  page = browser.page
})

afterAll(async () => {
  await browser?.close()
  await Promise.all([berth?.close(), pebble?.close(), names?.close()])
})

const button = (name: string | RegExp) => page.getByRole('button', { name })
const open = (url: string) => until(`${url} opens`, async () => (await page.goto(url)) !== null)
const at = (path: string) => open(`http://localhost:${berth.port}${path}`)
const dialog = () => page.getByRole('dialog')

async function look(name: string): Promise<void> {
  await browser.pictures(name, async (theme) => {
    const { violations } = await new AxeBuilder({ page }).analyze()
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    expect(grave.map(({ id, nodes }) => `${name}, ${theme}: ${id} at ${nodes[0]?.target}`)).toEqual([])
  })
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await berth.api(method, path, body)
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
  return answer.body as T
}

/** Adds a name in the browser and shows by its record that it is the team's. */
async function addShown(name: string): Promise<void> {
  await at(`${app.path}/domains`)
  await button('Add domain').click()
  await dialog().getByLabel('Name').fill(name)
  await dialog().getByRole('button', { name: 'Add domain' }).click()
  await page.getByText(`_berth-challenge.${name}`, { exact: true }).waitFor()
  const { data } = await ask<{ data: { name: string; record: { name: string; value: string } }[] }>(
    'GET',
    `/apps/${app.id}/domains`,
  )
  const record = data.find((each) => each.name === name)?.record
  if (record) records.txt[record.name] = record.value
  await names.say(records)
  await button(`Check ${name} now`).click()
}

test('an administrator names the authority, and what is wrong is said at its field', async () => {
  await open(setupLink)
  await page.getByLabel('Your name').fill('Ada Owner')
  await page.getByLabel('E-mail').fill('ada@example.org')
  await page.getByLabel('Password', { exact: true }).fill('a long enough password')
  await button('Become the owner').click()
  await page.waitForURL('**/main')
  await at('/admin/certificates')
  await page.getByLabel('Directory').fill('http://acme.example')
  await button('Save').click()
  await page.getByText(/^The authority asks that its terms/).waitFor()
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
  const { port, httpsPort: secure } = JSON.parse(await readFile(`${berth.home}/settings.json`, 'utf8'))
  httpsPort = secure
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
