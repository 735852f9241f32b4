import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { becomeOwner, type Dashboard, startDashboard } from '../support/dashboard.ts'
import { until } from '../support/until.ts'

// Ports of the host for an app, in the browser; tests go on where the last stopped.
let dashboard: Dashboard
let page: Page
/** The welcome app, which is there from the start. */
let app: { id: string; path: string }
let hostPort: number

beforeAll(async () => {
  dashboard = await startDashboard()
  page = dashboard.browser.page
  await becomeOwner(dashboard)
  const { api } = dashboard.berth
  const { data: projects } = (await api('GET', '/teams/main/projects')).body as { data: { slug: string }[] }
  const { data: apps } = (await api('GET', '/teams/main/apps')).body as {
    data: { id: string; slug: string }[]
  }
  app = { id: apps[0]?.id ?? '', path: `/main/${projects[0]?.slug}/${apps[0]?.slug}` }
})
afterAll(() => dashboard?.close())

const at = (path: string) => dashboard.browser.open(`${dashboard.url}${path}`)
// A message that something was done is one as well.
const dialog = () => page.locator('[role="dialog"]:not([data-type]), [role="alertdialog"]')
const rows = () => page.getByRole('list', { name: 'Ports' }).getByRole('listitem')
const add = () => dialog().getByRole('button', { name: 'Add port' }).click()

test('a port that is not for apps, or that a program of the host has, is refused at the field, and what was typed stays', async () => {
  // One that is free, of those for apps.
  const { body } = await dashboard.berth.api('POST', `/apps/${app.id}/ports`, { containerPort: 1 })
  const chosen = body as { hostPort: number; name: string }
  await dashboard.berth.api('DELETE', `/apps/${app.id}/ports/${chosen.name}`)
  hostPort = chosen.hostPort
  const program = createServer().listen(hostPort)
  await once(program, 'listening')
  await at(`${app.path}/domains`)
  await page.getByRole('button', { name: 'Add port' }).click()
  await dialog().getByLabel('Port in the container').fill('http')
  await dialog().getByLabel('Who may connect').fill('127.0.0.0/8\n10.0.0.0/8')
  await add()
  await dialog().getByText('A port is a number from 1 to 65535.').waitFor()
  await dialog().getByLabel('Port in the container').fill('8080')
  await dialog().getByLabel('Port of the host').fill('22')
  await add()
  await dialog().getByText('This installation has 20000–29999 for apps.').waitFor()
  await dialog().getByLabel('Port of the host').fill(String(hostPort))
  await add()
  await dialog()
    .getByText('A program that runs on the host has this port. Choose another one, or leave it empty.')
    .waitFor()
  expect(await dialog().getByLabel('Port of the host').inputValue()).toBe(String(hostPort))
  expect(await dialog().getByLabel('Port in the container').inputValue()).toBe('8080')
  expect(await dialog().getByLabel('Who may connect').inputValue()).toBe('127.0.0.0/8\n10.0.0.0/8')
  await dashboard.browser.look('ports-taken')
  program.close()
  await once(program, 'close')
  await dialog().getByLabel('Port of the host').fill(`${hostPort}`)
  await add()
  await page.getByText(/^Port added/).waitFor()
})

test('it waits for a deployment, then clients are answered, and the page says where they connect', async () => {
  await rows().getByText('Waits for a deployment').waitFor()
  await rows().getByText('From 127.0.0.0/8, 10.0.0.0/8 only.').waitFor()
  await at(app.path)
  await page.getByText(`Port tcp-${hostPort}`, { exact: true }).waitFor()
  expect((await dashboard.berth.api('POST', `/apps/${app.id}/deployments`, {})).status).toBe(202)
  const connected = page.getByRole('list', { name: 'Where clients connect to' })
  await until('it leads to the app', async () => {
    await at(app.path)
    return (await connected.getByText(`localhost:${hostPort}`).count()) === 1
  })
  const socket = connect(hostPort, '127.0.0.1')
  socket.write('GET / HTTP/1.0\r\n\r\n')
  expect(await text(socket)).toMatch(/^HTTP\/1\.[01] 200/)
})

test('it can be used by everybody, in both languages and themes, on a desk and on a phone', async () => {
  await dashboard.berth.api('POST', `/apps/${app.id}/ports`, { containerPort: 53, protocol: 'udp' })
  const url = `${dashboard.url}${app.path}/domains`
  await dashboard.browser.lookInChinese('ports', url)
  await dashboard.browser.open(url)
  await rows().first().waitFor()
  await dashboard.browser.look('ports')
})

test('it is changed and removed, each with the next deployment', async () => {
  await page.getByRole('button', { name: `Change ${hostPort}/tcp` }).click()
  await dialog().getByLabel('Who may connect').fill('')
  await dialog().getByRole('button', { name: 'Save' }).click()
  await rows()
    .filter({ hasText: String(hostPort) })
    .getByText('Everybody may connect.')
    .waitFor()
  await page.getByRole('button', { name: `Remove ${hostPort}/tcp` }).click()
  await dialog().getByRole('button', { name: 'Remove' }).click()
  await rows().getByText('Goes with the next deployment').waitFor()
})
