import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { makeTar } from '../support/images.ts'
import { until } from '../support/until.ts'

// Source in the browser: uploaded, built before one's eyes, found again; tests go on where the last stopped.
let berth: BerthHome
let browser: TestBrowser
let page: Page
let dashboard: string
let appPath: string

beforeAll(async () => {
  berth = await makeBerthHome()
  const started = await berth.up()
  dashboard = started.dashboard ?? ''
  browser = await openBrowser()
  page = browser.page
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
})

afterAll(async () => {
  await browser?.close()
  await berth?.close()
})

const open = (url: string) => until(`${url} opens`, async () => (await page.goto(url)) !== null)
const button = (name: string | RegExp) => page.getByRole('button', { name })

/** An archive of source whose Dockerfile begins with nothing but busybox. */
async function source(name: string, steps: string[]): Promise<string> {
  const dockerfile = [
    'FROM scratch',
    'COPY busybox /bin/busybox',
    'COPY page /www/index.html',
    ...steps,
    'CMD ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]',
  ]
  const archive = await makeTar([
    { name: 'Dockerfile', content: `${dockerfile.join('\n')}\n` },
    { name: 'busybox', content: readFileSync('/bin/busybox'), mode: 0o755 },
    { name: 'page', content: `page of ${name}` },
  ])
  const path = join(berth.home, `${name}.tar.gz`)
  await writeFile(path, gzipSync(archive))
  return path
}

const echo = (script: string) => `RUN ["/bin/busybox", "sh", "-c", ${JSON.stringify(script)}]`

/** The same in a folder, beside what a person has in one. */
async function sourceFolder(name: string): Promise<string> {
  const folder = join(berth.home, name)
  const files = {
    '.gitignore': '*.log\n',
    '.git/config': 'not sent',
    'node_modules/a/index.js': 'not sent',
    'debug.log': 'not sent',
    'start.sh': '#!/bin/busybox sh\nexec busybox httpd -f -p 8080 -h /www\n',
    'www/index.html': `page of ${name}`,
    Dockerfile: [
      'FROM scratch',
      'ENV PATH=/bin',
      'COPY busybox /bin/busybox',
      'COPY . /',
      'RUN ["/bin/busybox", "chmod", "755", "/bin/busybox"]',
      echo('cd / && echo sent: $(busybox find . -xdev -type f | busybox grep -v proc | busybox sort)'),
      'CMD ["/start.sh"]',
    ].join('\n'),
  }
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  await writeFile(join(folder, 'busybox'), readFileSync('/bin/busybox'))
  return folder
}

async function upload(path: string): Promise<void> {
  await open(`${dashboard}${appPath}`)
  await button('Upload source').click()
  await page.getByLabel('Archive of the source').setInputFiles(path)
  await page.waitForURL(/deployments\/\d+$/)
}

/** What the app answers in whose source all this is. */
async function welcome(): Promise<string> {
  const { body } = await berth.api('GET', '/teams/main/apps')
  const [app] = (body as { data: { urls: string[] }[] }).data
  return (await berth.open(app?.urls[0] ?? '')).body
}

const look = (name: string) =>
  browser.lookInBoth(name, page.url(), () => page.getByRole('log').locator('[data-index]').first().waitFor())

test('an archive is uploaded, built before one’s eyes and live; its log is there afterwards', async () => {
  await upload(
    await source('first', [
      echo("printf '\\033[32mgreen words\\033[0m\\n'"),
      echo('i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo lots $i; done'),
    ]),
  )
  await page.getByText('Live', { exact: true }).first().waitFor()
  const log = page.getByRole('log', { name: 'What the build says' })
  const steps = page.getByRole('list', { name: 'Steps of the Dockerfile' })
  await until('all steps are there', async () => (await steps.getByRole('listitem').count()) >= 6)
  expect(await steps.getByRole('listitem').nth(3).textContent()).toMatch(/4\/6.*green words/)
  await page.getByText(/3,0\d\d lines/).waitFor()
  // Only what is in sight is in the page.
  expect(await log.locator('[data-index]').count()).toBeLessThan(200)
  await steps.getByRole('button').nth(3).click()
  await log.locator('.text-ansi-green', { hasText: 'green words' }).waitFor()
  await page.getByLabel('Search the log').fill('LOTS 2999')
  await page.getByText('0 of 1').waitFor()
  await page.keyboard.press('Enter')
  await log.getByText('lots 2999', { exact: true }).waitFor()
  await page.getByText('1 of 1').waitFor()
  const downloading = page.waitForEvent('download')
  await button('Download').click()
  const text = readFileSync(await (await downloading).path(), 'utf8')
  expect(text.split('\n').filter((line) => / lots \d+$/.test(line))).toHaveLength(3_000)
  expect(text).toContain('green words')
  await look('build')
})

test('what is the same comes from the cache; a build that is under way is followed and called off', async () => {
  await upload(await source('second', [echo('echo begun; sleep 600')]))
  const log = page.getByRole('log', { name: 'What the build says' })
  await log.getByText('begun', { exact: true }).waitFor()
  expect(await page.getByRole('list', { name: 'Steps of the Dockerfile' }).textContent()).toContain('cached')
  await look('building')
  await log.getByText('begun', { exact: true }).waitFor()
  await button('Cancel').click()
  await page.getByText('Canceled', { exact: true }).first().waitFor()
})

/** The repository in which the app's builds leave their layers; undefined while there is none. */
async function buildCache() {
  const apps = (await berth.api('GET', '/teams/main/apps')).body as { data: { id: string; slug: string }[] }
  const id = apps.data.find(({ slug }) => slug === appPath.split('/').at(-1))?.id
  const { body } = await berth.api('GET', '/teams/main/repositories')
  const { data } = body as { data: { name: string; isBuildCache: boolean }[] }
  return { appId: id, cache: data.find(({ name }) => name.includes(`/berth-build-cache/${id}`)) }
}

test('what builds leave for other hosts is among the repositories, as what it is, and nobody is told to pull it', async () => {
  const { name, isBuildCache } = await until('layers are left there', async () => (await buildCache()).cache)
  expect(isBuildCache).toBe(true)
  await open(`${dashboard}/main/repositories`)
  await page.getByRole('link', { name }).click()
  await page.getByRole('heading', { name }).waitFor()
  await page.getByText('Layers that builds leave for hosts that have none of them').waitFor()
  expect(await page.getByText('docker pull').count()).toBe(0)
  expect(await button('Make public').count()).toBe(0)
  expect(await button('Delete repository').count()).toBe(1)
})

test('a build that fails says why, with its log below; what is no archive is not sent', async () => {
  await upload(await source('third', [echo('echo the reason; exit 7')]))
  await page.getByRole('alert', { name: 'Why it failed' }).getByText('The build failed').waitFor()
  await page
    .getByRole('log', { name: 'What the build says' })
    .getByText('the reason', { exact: true })
    .waitFor()
  await open(`${dashboard}${appPath}`)
  await page
    .getByText(/· source/)
    .first()
    .waitFor()
  await button('Upload source').click()
  await browser.pictures('upload-empty')
  await page.getByLabel('Archive of the source').setInputFiles({
    ...{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') },
  })
  await page.getByRole('alert').getByText('This is no archive').waitFor()
  await browser.pictures('upload')
})

test('an app that has no image yet is made, and its source sent', async () => {
  await open(`${dashboard}/main/new`)
  await page.getByLabel('App name').fill('From source')
  await page.getByRole('switch', { name: 'I have source, and no image yet' }).click()
  await button('Create app').click()
  await page.getByText('No source yet').waitFor()
  await browser.pictures('no-source')
  const path = await source('fourth', [])
  await page.getByRole('main').getByRole('button', { name: 'Upload source' }).last().click()
  await page.getByLabel('Archive of the source').setInputFiles(path)
  await page.waitForURL(/from-source\/deployments\/1$/)
  await page.getByText('Live', { exact: true }).first().waitFor()
})

test('an archive can be dropped on the page; source without a Dockerfile shows the one that is made', async () => {
  await open(`${dashboard}${appPath}`)
  await button('Upload source').click()
  const archive = gzipSync(await makeTar([{ name: 'index.html', content: 'hello' }])).toString('base64')
  const transfer = await page.evaluateHandle((content) => {
    const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0))
    const data = new DataTransfer()
    data.items.add(new File([bytes], 'pages.tgz'))
    return data
  }, archive)
  await page.getByText('Drop a folder or an archive here').dispatchEvent('drop', { dataTransfer: transfer })
  await page.waitForURL(/deployments\/\d+$/)
  const made = page.locator('summary', { hasText: /taken for static pages/ })
  await made.waitFor()
  await made.click()
  await page.getByText('FROM docker.io/library/caddy:2-alpine').first().waitFor()
  await button('Copy Dockerfile').waitFor()
  await look('generated')
})

test('a folder is packed as it is chosen or dropped, without what the build does not need', async () => {
  const chosen = await sourceFolder('chosen')
  await open(`${dashboard}${appPath}`)
  await button('Upload source').click()
  await page.getByLabel('Folder of the source').setInputFiles(chosen)
  await page.waitForURL(/deployments\/\d+$/)
  await page.getByText('Live', { exact: true }).first().waitFor()
  const log = page.getByRole('log', { name: 'What the build says' })
  await log.getByText(/^sent: /).waitFor()
  const said = (await log.getByText(/^sent: /).textContent()) ?? ''
  for (const sent of ['./start.sh', './www/index.html', './.gitignore']) expect(said).toContain(sent)
  for (const kept of ['.git/', 'node_modules', 'debug.log']) expect(said).not.toContain(kept)
  expect(await welcome()).toBe('page of chosen')
  const dropped = await sourceFolder('dropped')
  await open(`${dashboard}${appPath}`)
  await button('Upload source').click()
  const zone = page.getByText('Drop a folder or an archive here')
  const { x = 0, y = 0 } = (await zone.boundingBox()) ?? {}
  const devtools = await page.context().newCDPSession(page)
  const data = { items: [], files: [dropped], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await devtools.send('Input.dispatchDragEvent', { type, x: x + 5, y: y + 5, data })
  await page.waitForURL(/deployments\/\d+$/)
  await page.getByText('Live', { exact: true }).first().waitFor()
  expect(await welcome()).toBe('page of dropped')
})

test('of a log of 5 MB the page holds what is in sight, and all of it is found and downloaded', async () => {
  const words = 'w'.repeat(100)
  // What a step says in its very last moment buildah 1.28 may lose, as much as a pipe holds.
  const script = `/bin/busybox seq 1 46000 | /bin/busybox sed 's/$/ ${words}/'; /bin/busybox sleep 1`
  await upload(await source('long', [echo(script)]))
  const log = page.getByRole('log', { name: 'What the build says' })
  await log.locator('[data-index]').first().waitFor()
  let mostRows = 0
  await until('it is live', async () => {
    mostRows = Math.max(mostRows, await log.locator('[data-index]').count())
    return page.getByText('Live', { exact: true }).first().isVisible()
  })
  await page.getByText(/46,0\d\d lines/).waitFor()
  await log.evaluate(async (box) => {
    for (let at = 0; at <= 40; at++) {
      box.scrollTop = (box.scrollHeight * at) / 40
      await new Promise((drawn) => requestAnimationFrame(drawn))
    }
  })
  mostRows = Math.max(mostRows, await log.locator('[data-index]').count())
  expect(mostRows).toBeLessThan(200)
  const search = page.getByLabel('Search the log')
  await search.pressSequentially(`45999 ${words}`.slice(0, 20))
  await page.getByText('0 of 1').waitFor()
  await page.keyboard.press('Enter')
  await log.getByText(`45999 ${words}`, { exact: true }).waitFor()
  await search.fill('')
  const downloading = page.waitForEvent('download')
  await button('Download').click()
  const text = readFileSync(await (await downloading).path(), 'utf8')
  const numbers = [...text.matchAll(/ (\d+) w{100}$/gm)].map(([, number]) => Number(number))
  expect(numbers).toEqual(Array.from({ length: 46_000 }, (_, index) => index + 1))
})

test('what its builds left for other hosts goes with an app', async () => {
  const { appId, cache } = await buildCache()
  expect(cache).toBeDefined()
  expect((await berth.api('DELETE', `/apps/${appId}`)).status).toBe(202)
  await until('it is gone', async () => {
    const { body } = await berth.api('GET', '/teams/main/repositories')
    return !(body as { data: { name: string }[] }).data.some(({ name }) => name === cache?.name)
  })
})
