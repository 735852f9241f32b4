import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from '../support/browser.ts'
import { becomeOwner, type Dashboard, join, startDashboard } from '../support/dashboard.ts'
import { until } from '../support/until.ts'

// Files of the welcome app in the browser; tests go on where the last stopped.
let dashboard: Dashboard
let page: Page
let path: string
let appId: string
const complaints: string[] = []

beforeAll(async () => {
  dashboard = await startDashboard()
  page = dashboard.browser.page
  // Such as of a policy that refuses something.
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await becomeOwner(dashboard)
  const projects = await dashboard.berth.api('GET', '/teams/main/projects')
  const apps = await dashboard.berth.api('GET', '/teams/main/apps')
  const [project] = (projects.body as { data: { slug: string }[] }).data
  const [app] = (apps.body as { data: { id: string; slug: string }[] }).data
  appId = app?.id ?? ''
  path = `${dashboard.url}/main/${project?.slug}/${app?.slug}`
  complaints.length = 0
})
afterAll(() => dashboard?.close())

const button = (name: string) => page.getByRole('button', { name, exact: true })
const input = () => page.getByLabel('Files to upload')
const names = () => page.locator('tbody tr td:first-child bdi').allTextContents()
const file = (name: string, content: string | Buffer) => ({
  ...{ name, mimeType: 'text/plain', buffer: Buffer.from(content) },
})

async function untilNames(...wanted: string[]): Promise<void> {
  await until(`the folder has ${wanted}`, async () => String(await names()) === String(wanted))
}

test('folders are entered, and the way back is there, also by the browser’s own button', async () => {
  await dashboard.browser.open(path)
  await page.getByRole('link', { name: 'Files', exact: true }).click()
  await button('tmp').waitFor()
  expect(await names()).toEqual(expect.arrayContaining(['bin', 'etc', 'proc']))
  await dashboard.browser.look('files-root')
  await button('etc').click()
  await page.getByText('hosts', { exact: true }).waitFor()
  expect(new URL(page.url()).searchParams.get('path')).toBe('/etc')
  await button('Root folder').click()
  await button('tmp').waitFor()
  await page.goBack()
  await page.getByText('hosts', { exact: true }).waitFor()
  await page.goBack()
  await button('proc').click()
  await page.getByText('holds no files').waitFor()
  await dashboard.browser.pictures('files-refused')
  await button('Root folder').click()
})

test('a folder is made and filled, and what comes down is what went up', async () => {
  await button('tmp').click()
  await button('New folder').click()
  await page.getByLabel('Name').fill('new things')
  await button('Make folder').click()
  await button('new things').click()
  await page.getByText('Nothing is in this folder.').waitFor()
  await dashboard.browser.look('files-empty')
  await input().setInputFiles([file('你好.txt', 'hello 你好'), file('b.bin', Buffer.from([0, 255, 10]))])
  await untilNames('b.bin', '你好.txt')
  const coming = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download 你好.txt' }).click()
  const download = await coming
  expect(download.suggestedFilename()).toBe('你好.txt')
  expect(await readFile(await download.path(), 'utf8')).toBe('hello 你好')
  await dashboard.browser.look('files-uploaded')
})

test('what is there already is replaced when that is said', async () => {
  await button('Clear').click()
  await input().setInputFiles([file('b.bin', 'another')])
  await page.getByText('is there already').waitFor()
  await dashboard.browser.look('files-replace')
  await button('Replace b.bin').click()
  await page.getByText('Uploaded', { exact: true }).waitFor()
  const { body } = await dashboard.berth.api('GET', `/apps/${appId}/files?path=/tmp/new%20things`)
  const sizes = (body as { data: { name: string; sizeBytes: number }[] }).data
  expect(sizes.find(({ name }) => name === 'b.bin')?.sizeBytes).toBe(7)
  await button('Clear').click()
})

test('files are dropped, progress is shown, and an upload is stopped', async () => {
  const dropped = await page.evaluateHandle(() => {
    const transfer = new DataTransfer()
    transfer.items.add(new File(['dropped'], 'dropped.txt'))
    return transfer
  })
  const area = page.getByRole('region', { name: 'Files', exact: true })
  await area.dispatchEvent('dragover', { dataTransfer: dropped })
  await area.dispatchEvent('drop', { dataTransfer: dropped })
  await untilNames('b.bin', 'dropped.txt', '你好.txt')
  const devtools = await page.context().newCDPSession(page)
  const slowly = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400_000 }
  await devtools.send('Network.enable')
  await devtools.send('Network.emulateNetworkConditions', slowly)
  await input().setInputFiles([file('large.bin', Buffer.alloc(8_000_000)), file('later.bin', 'later')])
  await page.getByRole('progressbar', { name: 'Progress of large.bin' }).waitFor()
  await until('something is sent', async () => {
    const bar = page.getByRole('progressbar', { name: 'Progress of large.bin' })
    return Number(await bar.getAttribute('aria-valuenow')) > 2
  })
  await dashboard.browser.look('files-progress')
  await button('Stop the upload of large.bin').click()
  await devtools.send('Network.emulateNetworkConditions', { ...slowly, uploadThroughput: -1 })
  await untilNames('b.bin', 'dropped.txt', 'later.bin', '你好.txt')
  await page.getByText('Stopped', { exact: true }).waitFor()
  await button('Clear').click()
})

test('a file is deleted when that is confirmed, and a folder when its name is typed', async () => {
  await button('Delete later.bin').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await button('Delete later.bin').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
  await untilNames('b.bin', 'dropped.txt', '你好.txt')
  await button('tmp').click()
  await button('Delete new things').click()
  const dialog = page.getByRole('dialog')
  expect(await dialog.getByRole('button', { name: 'Delete', exact: true }).isDisabled()).toBe(true)
  await dashboard.browser.look('files-delete')
  await dialog.getByRole('textbox').fill('new things')
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click()
  await until('it is gone', async () => !(await names()).includes('new things'))
})

test('a volume is looked into by itself', async () => {
  const input = { name: 'data', mountPath: '/data', sizeBytes: 2 ** 24 }
  const { body } = await dashboard.berth.api('POST', `/apps/${appId}/volumes`, input)
  const { id } = body as { id: string }
  await until('it is made', async () => {
    const { body } = await dashboard.berth.api('GET', `/volumes/${id}`)
    return (body as { isMade: boolean }).isMade
  })
  await dashboard.browser.open(`${path}/volumes`)
  await button('More for data').click()
  await page.getByRole('menuitem', { name: 'Files' }).click()
  await page.getByText('Nothing is in this folder.').waitFor()
  expect(new URL(page.url()).searchParams.get('in')).toBe(id)
  await page.getByLabel('Files to upload').setInputFiles([file('kept.txt', 'kept')])
  await untilNames('kept.txt')
  await page.getByText('What is in a volume stays.', { exact: false }).waitFor()
  await dashboard.browser.lookInChinese('files', `${path}/files?in=${id}&path=/`)
})

test('a viewer has no files, and nothing complained', async () => {
  // A refusal that a test provokes is written to the console by the browser.
  expect(complaints.filter((text) => !/status of (409|422)/.test(text))).toEqual([])
  const browser = await openBrowser()
  try {
    const guest = { name: 'Vi Viewer', email: 'vi@example.org', password: 'a long enough password' }
    await join(dashboard, browser, 'main', { ...guest, role: 'viewer' })
    await browser.open(path)
    await browser.page.getByRole('link', { name: 'Logs', exact: true }).waitFor()
    expect(await browser.page.getByRole('link', { name: 'Files', exact: true }).count()).toBe(0)
    const response = await browser.page.goto(`${path}/files`)
    expect(response?.status()).toBe(404)
  } finally {
    await browser.close()
  }
})
