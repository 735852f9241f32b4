import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { get } from '../support/edge.ts'
import { until } from '../support/until.ts'

// A shell in the welcome app and what it uses, in the browser; tests go on where the last stopped.
let berth: BerthHome
let browser: TestBrowser
let page: Page
let dashboard: string
let appPath: string
let path: string
const complaints: string[] = []

beforeAll(async () => {
  berth = await makeBerthHome()
  const started = await berth.up()
  dashboard = started.dashboard ?? ''
  browser = await openBrowser()
  page = browser.page
  // Such as of a policy that refuses something. Not of an interface of this machine that comes or goes.
  page.on('console', (message) => {
    const text = message.text()
    if (message.type() === 'error' && !text.includes('ERR_NETWORK_CHANGED')) complaints.push(text)
  })
  await open(started.setupLink ?? '')
  await page.getByLabel('Your name').fill('Ada Owner')
  await page.getByLabel('E-mail').fill('ada@example.org')
  await page.getByLabel('Password', { exact: true }).fill('a long enough password')
  await page.getByRole('button', { name: 'Become the owner' }).click()
  await page.waitForURL('**/main')
  const projects = await berth.api('GET', '/teams/main/projects')
  const apps = await berth.api('GET', '/teams/main/apps')
  const [project] = (projects.body as { data: { slug: string }[] }).data
  const [app] = (apps.body as { data: { slug: string }[] }).data
  appPath = `/main/${project?.slug}/${app?.slug}`
  path = `${appPath}/terminal`
  complaints.length = 0
})

afterAll(async () => {
  await browser?.close()
  await berth?.close()
})

/** Chromium breaks off what it loads when an interface comes or goes: then again. */
const open = (url: string) => until(`${url} opens`, async () => (await page.goto(url)) !== null)
const button = (name: string | RegExp) => page.getByRole('button', { name })
const speak = (locale: 'en' | 'zh-CN') =>
  page.context().addCookies([{ name: 'berth-locale', value: locale, url: dashboard }])

/** What is on the screen, a line each, as it is drawn. */
async function screen(): Promise<string[]> {
  const rows = await page.locator('.xterm-rows > div').allTextContents()
  return rows.map((row) => row.replaceAll(' ', ' ').trimEnd())
}

async function untilShown(wanted: string | RegExp): Promise<string[]> {
  return until(`the screen shows ${wanted}`, async () => {
    const lines = await screen()
    const has = (line: string) => (typeof wanted === 'string' ? line.includes(wanted) : wanted.test(line))
    return lines.some(has) && lines
  }).catch(async (error) => {
    throw new Error(`${error.message}: ${JSON.stringify(await screen().catch(() => []))}`)
  })
}

const type = (text: string) => page.keyboard.type(text)

test('a shell is opened by a button, and says hello', async () => {
  await speak('en')
  await open(`${dashboard}${path}`)
  await page.getByRole('link', { name: 'Terminal' }).waitFor()
  await button('Open a shell').click()
  await page.getByText('Connected', { exact: true }).waitFor()
  await type('echo $((40 + 2)) 你好 🚢\n')
  await untilShown('42 你好 🚢')
})

test('vi edits a file on the whole screen', async () => {
  await type('busybox vi /tmp/note.txt\n')
  await untilShown(/^~$/)
  const lines = await untilShown('/tmp/note.txt')
  expect(lines.filter((line) => line === '~').length).toBeGreaterThan(10)
  await type('iwritten in vi, 你好')
  await page.keyboard.press('Escape')
  await browser.pictures('terminal-vi')
  await type(':wq\n')
  await type('clear; cat /tmp/note.txt | busybox tr a-z A-Z\n')
  await untilShown('WRITTEN IN VI, 你好')
})

test('another size of the window is another size of the terminal', async () => {
  const sizeOf = async () => {
    await type('clear; busybox stty size\n')
    const lines = await untilShown(/^\d+ \d+$/)
    return lines.find((line) => /^\d+ \d+$/.test(line))
  }
  const rows = () => page.locator('.xterm-rows > div').count()
  const before = await sizeOf()
  expect(Number(before?.split(' ')[0])).toBe(await rows())
  await page.setViewportSize({ width: 900, height: 700 })
  const smaller = await until('it is smaller', async () => {
    const now = await sizeOf()
    return now !== before && now
  })
  expect(Number(smaller.split(' ')[0])).toBe(await rows())
  await page.setViewportSize({ width: 1440, height: 900 })
})

test('text is pasted and copied, and the keyboard finds the way out', async () => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: dashboard })
  await page.evaluate(() => navigator.clipboard.writeText('echo pasted-$((1 + 1))'))
  await button('Paste').click()
  await page.locator('.xterm-helper-textarea').focus()
  await page.keyboard.press('Enter')
  await untilShown(/^pasted-2$/)
  const line = await page.locator('.xterm-rows > div', { hasText: /^pasted-2/ }).boundingBox()
  await page.mouse.dblclick((line?.x ?? 0) + 10, (line?.y ?? 0) + (line?.height ?? 0) / 2)
  await page.keyboard.press('Control+Shift+C')
  await until('it is copied', async () =>
    (await page.evaluate(() => navigator.clipboard.readText())).includes('pasted'),
  )
  await page.keyboard.press('Control+Shift+X')
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Close')
})

test('its end is told in words, and another can be opened; axe finds nothing', async () => {
  await page.locator('.xterm-helper-textarea').focus()
  await type('exit 3\n')
  await page.getByText('The shell ended with exit code 3.').waitFor()
  const { violations } = await new AxeBuilder({ page }).exclude('.xterm').analyze()
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(grave.map(({ id, nodes }) => `${id} at ${nodes[0]?.target}`)).toEqual([])
  await button('Open another').click()
  await page.getByText('Connected', { exact: true }).waitFor()
  await type('ls -l --color=always /; echo again\n')
  await untilShown(/^again$/)
  await browser.pictures('terminal')
  await page.setViewportSize({ width: 390, height: 844 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
  await page.setViewportSize({ width: 1440, height: 900 })
  await speak('zh-CN')
  await open(`${dashboard}${path}`)
  await button('打开终端').waitFor()
  await browser.picture('terminal-zh-CN')
  expect(complaints).toEqual([])
})

test('a debug shell is opened beside the container, and says where its files are', async () => {
  await speak('en')
  await open(`${dashboard}${path}`)
  await button('Debug shell').click()
  await untilShown("The container's files are at /proc/1/root.")
  await type('hostname; echo $((40 + 2))\n')
  const lines = [...(await untilShown(/^tools$/)), ...(await untilShown(/^42$/))]
  expect(lines.join('\n')).not.toContain('getcwd')
  await browser.pictures('terminal-debug')
  await type('exit\n')
  await page.getByText('The shell ended with exit code 0.').waitFor()
  expect(complaints).toEqual([])
})

test('what the app uses and is asked is drawn with its limits and deployments, in both themes, and in numbers', async () => {
  await speak('en')
  // Through the edge, as visitors do.
  const { port } = new URL(dashboard)
  const apps = await berth.api('GET', '/teams/main/apps')
  const [{ urls = [] } = {}] = (apps.body as { data: { urls: string[] }[] }).data
  const host = new URL(urls[0] ?? '').hostname
  for (let asked = 0; asked < 12; asked++) await get(Number(port), host, { path: `/?${asked}` })
  const answering = Promise.withResolvers<void>()
  const questions = /\/api\/v1\/apps\/[^/]+\/metrics\?/
  await page.route(questions, async (route) => {
    await answering.promise
    await route.continue().catch(() => {})
  })
  await open(`${dashboard}${appPath}/metrics`)
  await page.getByRole('status').getByText('The numbers are being read…').waitFor()
  await browser.pictures('metrics-loading')
  answering.resolve()
  await page.unroute(questions)
  const memory = page.getByRole('figure').filter({ hasText: 'Memory' })
  await memory.getByText('Limit').waitFor({ timeout: 60_000 })
  const row = page.getByRole('table', { name: 'Memory in numbers' }).getByRole('row').nth(1)
  await until('the numbers', async () => /web\.1.*(KiB|MiB)/.test((await row.textContent()) ?? ''))
  await page.getByRole('link', { name: '#1', exact: true }).waitFor()
  const asked = page.getByRole('table', { name: 'By domain, over the whole time' }).getByRole('row').nth(1)
  await until('what was asked', async () => /\d.*(µs|ms|sec)/.test((await asked.textContent()) ?? ''))
  expect(await asked.textContent()).toContain(host)
  const status = page.getByRole('table', { name: 'Requests by status in numbers' }).getByRole('row')
  expect(await status.allTextContents()).toEqual(
    expect.arrayContaining([expect.stringMatching(/^2xx.*\d\/s$/)]),
  )
  await browser.look('metrics')
  await page.setViewportSize({ width: 390, height: 844 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
  // Also on a screen that has become narrower.
  const tab = page.getByRole('navigation', { name: 'App sections' }).getByRole('link', { name: 'Metrics' })
  await until('the tab is in view', async () => {
    const box = await tab.boundingBox()
    return box !== null && box.x >= 0 && box.x + box.width <= 390
  })
  await page.setViewportSize({ width: 1440, height: 900 })
})

test('what a team uses together is drawn, with the apps that use the most', async () => {
  await open(`${dashboard}/main/settings/usage`)
  const top = page.getByRole('table', { name: 'Apps that use the most' })
  await top.getByRole('link').first().waitFor({ timeout: 60_000 })
  const memory = page.getByRole('table', { name: 'Memory in numbers' }).getByRole('row').nth(1)
  await until('the numbers', async () => /All together.*(KiB|MiB)/.test((await memory.textContent()) ?? ''))
  await browser.look('metrics-team')
})

test('what a host uses is drawn for administrators', async () => {
  await open(`${dashboard}/admin/hosts`)
  await page.getByRole('main').getByRole('link', { name: /\(/ }).first().click()
  const disk = page.getByRole('table', { name: 'Disk in numbers' }).getByRole('row').nth(1)
  await until('the numbers', async () => /Whole host.*GiB/.test((await disk.textContent()) ?? ''))
  await browser.look('metrics-host')
  await page.setViewportSize({ width: 390, height: 844 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
  await browser.picture('metrics-host-phone')
  await page.setViewportSize({ width: 1440, height: 900 })
  await open(`${dashboard}${appPath}/metrics`)
})

test('drawing over a graph zooms in, and a button zooms out', async () => {
  const plot = page.locator('.u-over').first()
  const spanOf = (url: string) => {
    const query = new URL(url).searchParams
    return Date.parse(query.get('to') ?? '') - Date.parse(query.get('from') ?? '')
  }
  const asked = page.waitForRequest(
    (request) => request.url().includes('/metrics?') && spanOf(request.url()) < 45 * 60_000,
  )
  // A graph that gets new numbers meanwhile is drawn anew, and what was begun on it is over.
  await until('the graph zooms', async () => {
    const box = await plot.boundingBox()
    if (box === null) throw new Error('the graph is not on the page')
    await page.mouse.move(box.x + box.width * 0.5, box.y + 50)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width - 2, box.y + 60, { steps: 5 })
    await page.mouse.up()
    await button('Whole time').waitFor({ timeout: 2_000 })
    return true
  })
  const spanMs = spanOf((await asked).url())
  expect(spanMs).toBeGreaterThan(20 * 60_000)
  expect(spanMs).toBeLessThan(40 * 60_000)
  await button('Whole time').click()
  await button('Whole time').waitFor({ state: 'detached' })
  await speak('zh-CN')
  await open(`${dashboard}${appPath}/metrics`)
  await page.getByText('最近一小时').waitFor()
  await page.getByText('处理器', { exact: true }).waitFor()
  await browser.picture('metrics-zh-CN')
  expect(complaints).toEqual([])
})
