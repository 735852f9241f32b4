import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { until } from '../support/until.ts'

// The explorer of an app's log, in order: each test goes on where the one before stopped.
let berth: BerthHome
let browser: TestBrowser
let page: Page
let dashboard = ''
let app = { id: '', path: '', url: '' }
const owner = { name: 'Ada Owner', email: 'ada@example.org', password: 'a long enough password' }

/** Writes 1,200 lines when it begins, one a second after; /cgi-bin/crash ends it with a last word on stderr. */
const program = `trap "exit 0" TERM
  rm -f /tmp/crash
  n=0; while [ $n -lt 1200 ]; do n=$((n + 1)); echo "start line $n"; done
  printf '\\033[31mred\\033[0m and \\033[1mbold\\033[0m\\n'
  echo '{"level":"error","msg":"it failed","user":{"id":42},"path":"/api/orders"}'
  echo '{"level":"warn","msg":"it is slow","user":{"id":43}}'
  (n=0; while sleep 1; do n=$((n + 1)); echo "tick $n"; done) &
  httpd -f -p $PORT -h /www & server=$!
  while [ ! -e /tmp/crash ]; do sleep 0.2; done
  kill $server
  echo "last words before the crash" >&2
  exit 3`

beforeAll(async () => {
  berth = await makeBerthHome()
  const started = await berth.up()
  dashboard = started.dashboard ?? ''
  browser = await openBrowser()
  page = browser.page
  await open(started.setupLink ?? '')
  await page.getByLabel('Your name').fill(owner.name)
  await page.getByLabel('E-mail').fill(owner.email)
  await page.getByLabel('Password', { exact: true }).fill(owner.password)
  await page.getByRole('button', { name: 'Become the owner' }).click()
  await page.waitForURL('**/main')
  const image = `localhost:${berth.port}/main/talker:1`
  await pushWithSkopeo(image, `${owner.email}:${owner.password}`, {
    entrypoint: ['/bin/sh', '-c', program],
    files: {
      'www/index.html': 'ok',
      'www/cgi-bin/crash': '#!/bin/sh\ntouch /tmp/crash\necho; echo bye\n',
    },
  })
  await open(`${dashboard}/main/new`)
  await page.getByLabel('Image', { exact: true }).fill(image)
  await page.getByRole('button', { name: 'Deploy', exact: true }).click()
  await page.waitForURL(/\/main\/[^/]+\/talker$/)
  await page.getByRole('status', { name: 'Status' }).getByText('Running', { exact: true }).waitFor()
  const url = (await page.getByRole('link', { name: /talker-main\.localhost/ }).getAttribute('href')) ?? ''
  const { body } = await berth.api('GET', '/teams/main/apps')
  const found = (body as { data: { id: string; slug: string }[] }).data.find(({ slug }) => slug === 'talker')
  app = { id: found?.id ?? '', path: new URL(page.url()).pathname, url }
})

afterAll(async () => {
  await browser?.close()
  await berth?.close()
})

const open = (url: string) => until(`${url} opens`, async () => (await page.goto(url)) !== null)
const logs = (query = '') => open(`${dashboard}${app.path}/logs${query}`)
const log = () => page.getByRole('log')
const row = (text: string) => log().locator('[data-number]').filter({ hasText: text }).first()
const numbers = () =>
  log()
    .locator('[data-number]')
    .evaluateAll((rows) => rows.map((each) => Number((each as HTMLElement).dataset.number)))

const look = (name: string) => browser.look(name)

/** The log's own; a button of the page leads to another search. */
const searchField = () => page.getByRole('searchbox', { name: 'Search', exact: true })

async function search(query: string): Promise<void> {
  await searchField().fill(query)
  await searchField().press('Enter')
}

test('live lines come at the end; scrolling up leads through everything to the first line, each once', async () => {
  await logs()
  await row('tick').waitFor()
  const before = Math.max(...(await numbers()))
  await until('a new line is shown', async () => Math.max(...(await numbers())) > before)
  await look('logs-live')
  const seen = new Set<number>()
  await until('the first line is reached', async () => {
    await log().evaluate((box) => box.scrollBy(0, -300))
    for (const number of await numbers()) seen.add(number)
    return seen.has(1)
  })
  const all = [...seen].sort((a, b) => a - b)
  expect(all.length).toBeGreaterThan(1_200)
  expect(all).toEqual(all.map((_, index) => index + 1))
  await row('start line 1').waitFor()
  await page.getByRole('button', { name: /new lines?$|Jump to the end/ }).click()
  await row('tick').waitFor()
})

test('texts, phrases, expressions, levels and fields are found; a search that can’t be read says why at its field', async () => {
  await search('"start line 1199"')
  await until('only it is left', async () => (await numbers()).length === 1)
  await search('/^start line 10[0-9]$/')
  await until('ten are left', async () => (await numbers()).length === 10)
  await search('level:error')
  await row('it failed').waitFor()
  await until('only it is left', async () => (await numbers()).length === 1)
  await search('user.id:43')
  await row('it is slow').waitFor()
  await search('level:terrible')
  await page.getByRole('alert').getByText('There is no level “terrible”').waitFor()
  await look('logs-search-problem')
  await search('nothing like this')
  await page.getByText('Nothing found').waitFor()
  await browser.pictures('logs-none')
})

test('what comes live is searched for a regular expression at once', async () => {
  await search('/^tick \\d+$/')
  await row('tick').waitFor()
  // From when it was written to when it is on the page. Asked for every two seconds, one of two in a row would be a second old.
  const lateMs = await page.evaluate(async () => {
    const seen = new Set<string>()
    const found: number[] = []
    const look = () => {
      for (const time of document.querySelectorAll<HTMLTimeElement>('[role="log"] [data-number] time')) {
        if (seen.has(time.dateTime)) continue
        seen.add(time.dateTime)
        found.push(Date.now() - Date.parse(time.dateTime))
      }
    }
    look()
    found.length = 0
    const until = Date.now() + 20_000
    while (found.length < 5 && Date.now() < until) {
      await new Promise((resolve) => requestAnimationFrame(resolve))
      look()
    }
    return found
  })
  expect(lateMs).toHaveLength(5)
  expect(Math.max(...lateMs)).toBeLessThan(900)
})

test('a line shows its fields, and leads to its context and to a link that opens at it', async () => {
  await search('level:error')
  await row('it failed').click()
  const detail = page.getByRole('region', { name: 'The line' })
  await detail.getByRole('button', { name: /path \/api\/orders/ }).waitFor()
  await look('logs-detail')
  await detail.getByRole('button', { name: 'Show in context' }).click()
  await row('start line 1200').waitFor()
  await row('it is slow').waitFor()
  const link = page.url()
  expect(link).toMatch(/\?line=1202$/)
  await open(`${dashboard}/main`)
  await open(link)
  await row('it failed').waitFor()
  await page.getByRole('region', { name: 'The line' }).getByText('1202', { exact: true }).waitFor()
  expect(await log().getByText('red', { exact: true }).getAttribute('class')).toContain('text-ansi-red')
  await log().press('ArrowDown')
  await page.getByRole('region', { name: 'The line' }).getByText('1203', { exact: true }).waitFor()
  await log().press('Escape')
  await page.getByRole('region', { name: 'The line' }).waitFor({ state: 'detached' })
  await page.goBack()
})

test('a bar leads to its time, and filters narrow the lines', async () => {
  await logs()
  const bars = page.getByRole('group', { name: 'Lines over time' }).getByRole('button')
  await bars.first().waitFor()
  await page
    .getByRole('button', { name: /: 1,?2\d\d lines|: \d{3,} lines/ })
    .first()
    .click()
  await page.getByText(/^From .* until /).waitFor()
  await row('start line').waitFor()
  await page.getByRole('button', { name: 'Filters', exact: true }).click()
  await look('logs-filters')
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await row('tick').waitFor()
})

test('what a container wrote last before it crashed is there, and goes on with what the next one writes', async () => {
  await logs()
  await row('tick').waitFor()
  expect((await berth.open(`${app.url}/cgi-bin/crash`)).status).toBe(200)
  await search('"last words before the crash"')
  await row('last words before the crash').waitFor()
  await row('last words before the crash').click()
  await page.getByRole('button', { name: 'Show in context' }).click()
  await row('last words before the crash').waitFor()
  await until('the next container’s first line follows', async () => (await row('start line 1').count()) > 0)
})

test('the whole log is downloaded, in order', async () => {
  await logs()
  await row('tick').waitFor()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download' }).click(),
  ])
  const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n')
  expect(lines[0]).toMatch(/^\d{4}-\S+Z web\.1 start line 1$/)
  expect(lines.filter((line) => line.endsWith('start line 1200')).length).toBeGreaterThanOrEqual(2)
  expect(lines.some((line) => line.endsWith('last words before the crash'))).toBe(true)
})

test('a host that does not answer is said, and what is lately known is shown', async () => {
  const worker = (await berth.status()).parts.find(({ name }) => name === 'worker')?.pid
  if (!worker) throw new Error('there is no worker')
  process.kill(worker, 'SIGSTOP')
  try {
    await logs('?query=tick')
    await page.getByText('The log can’t be read').waitFor()
    await page.getByText('The host that keeps this log does not answer').waitFor()
    await look('logs-unreachable')
  } finally {
    process.kill(worker, 'SIGCONT')
  }
  await until('it can be read again', async () => {
    const again = page.getByRole('button', { name: 'Try again' })
    if ((await again.count()) > 0) await again.click()
    return (await row('tick').count()) > 0
  })
})

test('a log drain is added in the team’s settings, tried, and says why its receiver takes nothing', async () => {
  await open(`${dashboard}/main/settings/log-drains`)
  await page.getByText('Logs stay here').waitFor()
  await page.getByRole('button', { name: 'Add log drain' }).click()
  await page.getByLabel('Name').fill('Ops')
  await page.getByLabel('Address').fill('ftp://example.org')
  await page.getByRole('button', { name: 'Save changes' }).click()
  await page.getByText('Use an address such as https').waitFor()
  await look('log-drains-form')
  // Of this machine, which nobody allowed.
  await page.getByLabel('Address').fill('http://127.0.0.1:9/')
  await page.getByLabel('Headers').fill('Authorization: Bearer never-shown')
  await page.getByRole('button', { name: 'Save changes' }).click()
  await page.getByText('Ops', { exact: true }).waitFor()
  expect(await page.content()).not.toContain('never-shown')
  await page.getByRole('button', { name: 'Actions for Ops' }).click()
  await page.getByRole('menuitem', { name: 'Send a test line' }).click()
  await page
    .getByText(/BERTH_PRIVATE_HOSTS/)
    .first()
    .waitFor()
  await until('its state is told', async () => {
    await page.reload()
    return (await page.getByText('Fails', { exact: true }).count()) === 1
  })
  await look('log-drains')
  await page.getByRole('button', { name: 'Actions for Ops' }).click()
  await page.getByRole('menuitem', { name: 'Remove' }).click()
  await page.getByRole('button', { name: 'Remove', exact: true }).click()
  await page.getByText('Logs stay here').waitFor()
})
