/**
 * Two teams at once, each open in a browser of its own, with everything of one named like everything of the other but
 * for the team's address. Neither sees the other: not on any page, however its address is guessed; not by ids; not in
 * streams; not by host names.
 */
import { readdirSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkout } from '../support/berth-home.ts'
import { openBrowser, type TestBrowser } from '../support/browser.ts'
import { type Dashboard, join, startDashboard } from '../support/dashboard.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { until } from '../support/until.ts'

interface Side {
  /** In names, values, addresses and logs of this team, and nowhere in its paths. */
  word: string
  team: string
  browser: TestBrowser
  /** What pages and routes are asked for, by the name of the parameter or of what comes before `{id}`. */
  ids: Record<string, string>
  host: string
}

let dashboard: Dashboard
let quokka: Side
let walrus: Side
const sides = () => [
  { own: quokka, other: walrus },
  { own: walrus, other: quokka },
]

beforeAll(async () => {
  dashboard = await startDashboard()
  quokka = await settle('quokka', 'alpha', dashboard.browser)
  walrus = await settle('walrus', 'beta', await openBrowser())
})

afterAll(async () => {
  await walrus?.browser.close()
  await dashboard?.close()
})

/** A team with one of everything that has a page, and its owner. */
async function settle(word: string, team: string, browser: TestBrowser): Promise<Side> {
  const make = async <Made = { id: string }>(path: string, input: object, method = 'POST'): Promise<Made> => {
    const { status, body } = await dashboard.berth.api(method, path, input)
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`)
    return body as Made
  }
  const { id: teamId } = await make('/teams', { name: `The ${word} team`, slug: team })
  const owner = { name: `Owner ${word}`, email: `${word}@example.org`, password: 'several unlikely words' }
  await join(dashboard, browser, team, { ...owner, role: 'owner' })
  const image = `localhost:${dashboard.berth.port}/${team}/web:1`
  await pushWithSkopeo(image, `${owner.email}:${owner.password}`, {
    entrypoint: [
      '/bin/sh',
      '-c',
      `trap "exit 0" TERM; echo "${word} logs"; httpd -f -p $PORT -h /www & wait`,
    ],
    files: { 'www/index.html': `the site of ${word}` },
  })
  const project = await make(`/teams/${team}/projects`, { name: `Project ${word}`, slug: 'site' })
  const settings = { image, processes: { worker: { command: ['sleep', word], replicas: 0 } } }
  const variables = [{ name: `KEY_${word}`, value: `value of ${word}` }]
  const app = await make<{ id: string; environmentId: string; urls: string[] }>(
    `/projects/${project.id}/apps`,
    {
      ...{ name: `App ${word}`, slug: 'web', settings, variables },
    },
  )
  const deployment = await make(`/apps/${app.id}/deployments`, {})
  await until('it is live', async () => {
    const { body } = await dashboard.berth.api('GET', `/deployments/${deployment.id}`)
    return (body as { status: string }).status === 'live'
  })
  await dashboard.berth.api('PATCH', `/environments/${app.environmentId}/variables`, { set: variables })
  await make(`/apps/${app.id}/domains`, { name: `${word}.test` })
  const volume = await make(`/apps/${app.id}/volumes`, {
    ...{ name: word, mountPath: '/data', sizeBytes: 2 ** 24 },
  })
  const run = await make(`/apps/${app.id}/runs`, { command: ['echo', word] })
  const cronJob = await make(`/apps/${app.id}/cron-jobs`, {
    ...{ name: `Job ${word}`, schedule: '0 3 * * *', command: ['echo', word] },
  })
  const channel = await make(`/teams/${team}/notification-channels`, {
    ...{ kind: 'webhook', name: `Channel ${word}`, url: `https://${word}.example/` },
  })
  const drain = await make(`/teams/${team}/log-drains`, {
    ...{ kind: 'http', name: `Drain ${word}`, url: `https://${word}.example/` },
  })
  await make(`/apps/${app.id}/git-source`, { address: `https://git.example/${word}.git` }, 'PUT')
  await make(`/teams/${team}/tokens`, { name: `token ${word}`, preset: 'deploy' })
  await make(`/teams/${team}/invitations`, { email: `guest-of-${word}@example.org` })
  const { body: repositories } = await dashboard.berth.api('GET', `/teams/${team}/repositories`)
  const [repository] = (repositories as { data: { id: string }[] }).data
  const { body: images } = await dashboard.berth.api('GET', `/repositories/${repository?.id}/images`)
  const { body: members } = await dashboard.berth.api('GET', `/teams/${team}/members`)
  const { body: hosts } = await dashboard.berth.api('GET', '/admin/hosts')
  return {
    ...{ word, team, browser, host: new URL(app.urls[0] ?? '').host },
    ids: {
      ...{ team, project: 'site', app: 'web', number: '1', '...name': 'web', channel: channel.id },
      ...{ teams: teamId, projects: project.id, environments: app.environmentId, apps: app.id },
      ...{ deployments: deployment.id, runs: run.id, volumes: volume.id, 'cron-jobs': cronJob.id },
      ...{ 'notification-channels': channel.id, 'log-drains': drain.id, repositories: repository?.id ?? '' },
      digest: (images as { data: { digest: string }[] }).data[0]?.digest ?? '',
      users: (members as { data: { userId: string }[] }).data[0]?.userId ?? '',
      host: (hosts as { data: { id: string }[] }).data[0]?.id ?? '',
    },
  }
}

/** Of every page that there is, as Next.js reads the folder: `/[team]/[project]`. */
const pages = readdirSync(joinPath(checkout, 'app'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /(^|\/)page\.tsx$/.test(file))
  .map((file) => `/${file.replace(/\/?page\.tsx$/, '').replaceAll(/\([^)]*\)\/?/g, '')}`)
  .sort()

/** The address of the page for these: each parameter has to be known here, so that a new page is looked at. */
function addressOf(page: string, ids: Record<string, string>): string {
  return page.replaceAll(/\[([^\]]+)\]/g, (_, name: string) => {
    const kind = name === 'id' ? (/^\/admin\/(\w+)\//.exec(page)?.[1] ?? name) : name
    const value = ids[kind]
    if (value === undefined) throw new Error(`${page}: nothing here is a ${name}; make one and add it to ids`)
    return value
  })
}

/** Opens it; answers whether it was there, and everything that came: the page, and what its router would ask for. */
async function look({ browser }: Side, path: string): Promise<{ isThere: boolean; text: string }> {
  const url = `${dashboard.url}${path}`
  await browser.open(url)
  const heading = (await browser.page.locator('h1').first().textContent()) ?? ''
  const routed = await browser.page.evaluate(async (address) => {
    const response = await fetch(address, { headers: { rsc: '1' } })
    return response.text()
  }, `${url}?_rsc=x`)
  const text = `${await browser.page.content()} ${routed}`
  // It knows what it was asked for.
  return { isThere: heading !== 'Page not found', text: text.toLowerCase() }
}

/** What of the other comes into sight: its word, or an id that was not asked for. */
function sightOf(other: Side, text: string, path: string): string[] {
  const names = [
    'teams',
    'projects',
    'environments',
    'apps',
    'deployments',
    'runs',
    'cron-jobs',
    'repositories',
  ]
  const secret = [other.word, ...names.map((name) => other.ids[name] ?? '')]
  return secret.filter((word) => text.includes(word) && !path.includes(word))
}

test('there are pages to look at, and the owner of a team sees all of them but the administration', async () => {
  expect(pages.length).toBeGreaterThan(40)
  const missing: string[] = []
  for (const page of pages) {
    const { isThere } = await look(quokka, addressOf(page, quokka.ids))
    if (isThere === page.startsWith('/admin')) missing.push(page)
  }
  expect(missing).toEqual([])
})

describe('on no page', () => {
  test.each(pages)('%s', async (page) => {
    for (const { own, other } of sides()) {
      const mine = addressOf(page, own.ids)
      expect(sightOf(other, (await look(own, mine)).text, mine)).toEqual([])
      const theirs = addressOf(page, other.ids)
      if (theirs === mine) continue
      const guessed = await look(own, theirs)
      expect({ page, ...guessed, text: sightOf(other, guessed.text, theirs) }).toMatchObject({
        ...{ isThere: false, text: [] },
      })
      // The own team, and what is the other's in it.
      const mixed = addressOf(page, { ...other.ids, team: own.team })
      if (mixed === mine || mixed === theirs) continue
      expect(await look(own, mixed)).toMatchObject({ isThere: false })
    }
  })
})

interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** As a script in the page would ask the API, with the cookie of who is signed in there. */
function ask({ browser }: Side, path: string, init: Asked = {}): Promise<{ status: number; text: string }> {
  const url = `${dashboard.url}/api/v1${path}`
  return browser.page.evaluate(
    async ({ address, options }) => {
      const leave = new AbortController()
      const response = await fetch(address, { ...options, signal: leave.signal })
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
      const text = isStream ? '' : await response.text()
      leave.abort()
      return { status: response.status, text }
    },
    { address: url, options: init },
  )
}

test('ids of the other lead nowhere, in streams neither', async () => {
  const { text } = await ask(quokka, '/openapi.json')
  const routes = Object.entries((JSON.parse(text) as { paths: Record<string, object> }).paths)
    .filter(([path, methods]) => 'get' in methods && path.includes('{') && !path.startsWith('/admin/'))
    .map(([path]) => path)
  expect(routes.length).toBeGreaterThan(30)
  const wrong: string[] = []
  for (const route of routes) {
    for (const { own, other } of sides()) {
      const path = route.replaceAll(/([\w-]*)\/\{(\w+)\}/g, (_, kind: string, name: string) => {
        const value = other.ids[name === 'id' ? kind : name]
        if (value === undefined) throw new Error(`${route}: nothing here is a ${name} of ${kind}`)
        return `${kind}/${encodeURIComponent(value)}`
      })
      const guessed = await ask(own, path)
      if (guessed.status !== 404 || sightOf(other, guessed.text.toLowerCase(), path).length > 0)
        wrong.push(`${path}: ${guessed.status}`)
      const owned = await ask(other, path)
      // What was not built has no log of a build.
      if (owned.status !== 200 && !path.endsWith('/build-log')) wrong.push(`own ${path}: ${owned.status}`)
    }
  }
  expect(wrong).toEqual([])
})

/** A stream that stays open in the page; answers what it has said so far. */
async function listen({ browser }: Side, name: string, path: string): Promise<() => Promise<string>> {
  await browser.page.evaluate(
    ({ key, address }) => {
      const heard = { open: false, text: '' }
      const source = new EventSource(address)
      source.onopen = () => {
        heard.open = true
      }
      source.onmessage = ({ lastEventId, data }) => {
        heard.text += `${lastEventId} ${data}\n`
      }
      Object.assign(window, { [key]: heard })
    },
    { key: name, address: `${dashboard.url}/api/v1${path}` },
  )
  const heard = () =>
    browser.page.evaluate(
      (key) => (window as unknown as Record<string, { open: boolean; text: string }>)[key],
      name,
    )
  await until(`${path} is open`, async () => (await heard())?.open)
  return async () => (await heard())?.text ?? ''
}

test('a stream tells of nothing in the other team, whatever id it is to go on after', async () => {
  for (const { own } of sides()) await own.browser.open(`${dashboard.url}/${own.team}`)
  const heardByQuokka = await listen(quokka, 'heard', '/teams/alpha/events')
  const heardByWalrus = await listen(walrus, 'heard', '/teams/beta/events')
  const rename = (side: Side, name: string) =>
    ask(side, `/projects/${side.ids.projects}`, {
      ...{ method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name }) },
    })
  expect((await rename(quokka, 'Project quokka, renamed')).status).toBe(200)
  await until('quokka hears of it', async () => (await heardByQuokka()).includes(quokka.ids.projects ?? '-'))
  expect((await rename(walrus, 'Project walrus, renamed')).status).toBe(200)
  await until('walrus hears of it', async () => (await heardByWalrus()).includes(walrus.ids.projects ?? '-'))
  const id = /^\d+-\d+/.exec(await heardByQuokka())?.[0] ?? ''
  expect(id).not.toBe('')
  const before = `${Number(id.split('-')[0]) - 1}-0`
  const again = await listen(walrus, 'again', `/teams/beta/events?lastEventId=${before}`)
  await until('it goes on', async () => (await again()).includes(walrus.ids.projects ?? '-'))
  for (const heard of [await heardByWalrus(), await again()]) expect(sightOf(quokka, heard, '')).toEqual([])
  expect(sightOf(walrus, await heardByQuokka(), '')).toEqual([])
})

test('host names of the other can not be taken, and their pages get no cookie and no answer', async () => {
  for (const { own, other } of sides()) {
    for (const name of [other.host.replace(/:\d+$/, ''), `${other.word}.test`]) {
      const { status, text } = await ask(own, `/apps/${own.ids.apps}/domains`, {
        ...{
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name }),
        },
      })
      expect([name, status >= 400 && status < 500]).toEqual([name, true])
      expect(sightOf(other, text.toLowerCase(), name)).toEqual([])
    }
    const site = `http://${other.host}/`
    expect((await dashboard.berth.open(site)).body).toBe(`the site of ${other.word}`)
    expect((await own.browser.context.cookies(site)).map(({ name }) => name)).toEqual([])
    expect(await own.browser.context.cookies(dashboard.url)).not.toEqual([])
    await own.browser.open(site)
    const read = await own.browser.page.evaluate(async (address) => {
      const response = await fetch(address, { credentials: 'include' }).catch(() => null)
      return response === null ? 'nothing' : response.text()
    }, `${dashboard.url}/api/v1/me`)
    expect(read).toBe('nothing')
    expect((await dashboard.berth.open(`${site}api/v1/me`)).status).toBe(404)
  }
})
