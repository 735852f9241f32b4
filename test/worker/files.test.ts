import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import tar from 'tar-stream'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createApi } from '../../app/api/v1/_routes/api.ts'
import type { Viewer } from '../../platform/access.ts'
import { changeRole } from '../../platform/members.ts'
import type { FileEntry, FileListing } from '../../platform/model/files.ts'
import type { App } from '../../platform/model/resources.ts'
import { openTerminal } from '../../platform/terminals.ts'
import { createToken } from '../../platform/tokens.ts'
import { createVolume, getVolume } from '../../platform/volumes.ts'
import { operator } from '../support/platform.ts'
import { connectTerminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'
import { dataVolume } from '../support/volumes.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let app: App
let developer: Viewer
let call: ReturnType<typeof caller>
beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
  app = await host.makeApp(await host.push('files', { user: '1000:1000' }))
  await host.untilStatus((await host.deploy(app.id)).id, 'live')
  developer = (await host.berth.makeUser({ teamId: host.teamId, role: 'developer' })).viewer
  call = caller(
    (await createToken(host.berth.platform, developer, { name: 'mine', role: 'developer' })).secret,
  )
})
afterAll(() => host?.close())

const mib = 2 ** 20

/** Asks the API itself. */
function caller(token: string) {
  const api = createApi(host.berth.platform)
  return async (route: string, body?: BodyInit, more: RequestInit = {}): Promise<Response> => {
    const [method = '', path = ''] = route.split(' ')
    const type = method === 'POST' ? 'application/json' : 'application/octet-stream'
    return api.fetch(
      new Request(`http://localhost:7080/api/v1${path}`, {
        ...{ method, headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': type }) } },
        ...(body === undefined ? {} : { body, duplex: 'half' }),
        ...more,
      } as RequestInit),
    )
  }
}

const at = (path: string, of = `/apps/${app.id}`, what = '') =>
  `${of}/files${what}?path=${encodeURIComponent(path)}`
const content = (path: string, of?: string) => at(path, of, '/content')

async function said<T>(response: Response | Promise<Response>): Promise<T> {
  const answer = await response
  expect(answer.status, await answer.clone().text()).toBeLessThan(300)
  return (await answer.json()) as T
}

/** Runs something in the app's container. */
async function inside(script: string): Promise<string> {
  const command = ['sh', '-c', script]
  const ticket = await openTerminal(host.berth.platform, operator, app.id, {
    command,
    user: 'root',
    terminal: null,
  })
  const terminal = await connectTerminal(host.berth.config.port, ticket)
  await terminal.closed
  return terminal.output()
}

/** That the worker has open. */
function filesWithoutName(): number {
  const { pid } = JSON.parse(readFileSync(join(host.berth.config.home, 'run/worker.ready'), 'utf8'))
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return targets.filter((target) => /\/#\d+ \(deleted\)$/.test(target)).length
}

const entriesOf = (action: string) =>
  host.berth.platform.db.auditEvent.findMany({ where: { action }, orderBy: { id: 'asc' } })

test('a file goes up and comes down byte for byte, belongs to the image’s user, and no browser shows it', async () => {
  const bytes = Buffer.from('<script>alert(1)</script>\0ÿ')
  const put = await said<FileEntry>(call(`PUT ${content('/tmp/päge "1".html')}`, bytes))
  expect(put).toMatchObject({ name: 'päge "1".html', kind: 'file', sizeBytes: bytes.length, mode: '0644' })
  expect([put.uid, put.gid]).toEqual([1000, 1000])
  const got = await call(`GET ${content('/tmp/päge "1".html')}`)
  expect(Object.fromEntries(got.headers)).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-length': String(bytes.length),
    'content-disposition': `attachment; filename="p_ge _1_.html"; filename*=UTF-8''p%C3%A4ge%20%221%22.html`,
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  })
  expect(Buffer.from(await got.arrayBuffer())).toEqual(bytes)
  const again = await call(`PUT ${content('/tmp/päge "1".html')}`, 'other')
  expect([again.status, ((await again.json()) as { detail: string }).detail]).toEqual([
    409,
    '/tmp/päge "1".html is there already.',
  ])
  // However much of it is on its way by then.
  for (const size of [1, 1_000, 100_000, 3_000_000]) {
    const refused = await call(`PUT ${content('/tmp/päge "1".html')}`, Buffer.alloc(size))
    expect([size, refused.status]).toEqual([size, 409])
  }
  await said(call(`PUT ${content('/tmp/päge "1".html')}&replace=true`, 'other'))
  expect(await inside('cat /tmp/p*')).toBe('other')
  const [uploaded, replaced] = await entriesOf('file.upload')
  expect(uploaded).toMatchObject({ targetId: app.id, detail: { path: '/tmp/päge "1".html', replace: false } })
  expect(replaced).toMatchObject({ detail: { sizeBytes: 5, replace: true } })
  expect(await entriesOf('file.download')).toMatchObject([
    { targetId: app.id, detail: { path: '/tmp/päge "1".html', sizeBytes: bytes.length } },
  ])
})

test('a folder is listed page by page, comes as a tar, and is deleted when that is meant', async () => {
  await said(call(`POST /apps/${app.id}/files/folders`, JSON.stringify({ path: '/tmp/f' })))
  for (const name of ['a', 'b', 'c']) await said(call(`PUT ${content(`/tmp/f/${name}`)}`, name))
  const first = await said<FileListing>(call(`GET ${at('/tmp/x/../f/')}&limit=2`))
  expect([first.path, first.data.map(({ name }) => name), first.isCut]).toEqual(['/tmp/f', ['a', 'b'], false])
  const second = await said<FileListing>(call(`GET ${at('/tmp/f')}&limit=2&cursor=${first.nextCursor}`))
  expect([second.data.map(({ name }) => name), second.nextCursor]).toEqual([['c'], null])
  const packed = await call(`GET ${content('/tmp/f')}`)
  expect(packed.headers.get('content-disposition')).toContain('filename="f.tar"')
  const extract = tar.extract()
  Readable.from([Buffer.from(await packed.arrayBuffer())]).pipe(extract)
  const found: string[] = []
  for await (const entry of extract) found.push(entry.header.name + (await text(entry)))
  expect(found.sort()).toEqual(['f', 'f/aa', 'f/bb', 'f/cc'])
  expect((await call(`DELETE ${at('/tmp/f')}`)).status).toBe(409)
  expect(await said(call(`DELETE ${at('/tmp/f')}&recursive=true`))).toEqual({ removed: 4, isDone: true })
  expect((await call(`GET ${at('/tmp/f')}`)).status).toBe(404)
  expect(await entriesOf('file.delete')).toMatchObject([
    { targetId: app.id, detail: { path: '/tmp/f', recursive: true, removed: 4, isDone: true } },
  ])
  expect(await entriesOf('file.make-folder')).toHaveLength(1)
})

test('a name that is no text is listed, downloaded and deleted by its bytes', async () => {
  await inside('mkdir /tmp/odd; printf odd > "/tmp/odd/$(printf "a\\377")"')
  const { data } = await said<FileListing>(call(`GET ${at('/tmp/odd')}`))
  expect(data).toMatchObject([{ name: 'a\ufffd', rawPath: expect.any(String) }])
  const raw = `/apps/${app.id}/files/content?rawPath=${data[0]?.rawPath}`
  expect(await (await call(`GET ${raw}`)).text()).toBe('odd')
  await said(call(`DELETE ${raw.replace('/content', '')}`))
  expect(await inside('ls /tmp/odd')).toBe('')
})

test('what can’t be done is a sentence with the right status', async () => {
  const status = async (route: string, body?: BodyInit) => (await call(route, body)).status
  expect(await status(`GET ${at('/none')}`)).toBe(404)
  expect(await status(`GET ${at('/proc')}`)).toBe(422)
  expect(await status(`GET ${at('none')}`)).toBe(422)
  expect(await status(`GET ${content('/dev/zero')}`)).toBe(422)
  expect(await status(`GET ${at('/')}&container=other`)).toBe(409)
  expect(await status(`DELETE ${at('/etc/hosts')}`)).toBe(409)
  expect(await status(`DELETE ${at('/')}&recursive=true`)).toBe(422)
  await inside('truncate -s 11G /tmp/huge')
  const tooLarge = await call(`GET ${content('/tmp/huge')}`)
  expect([tooLarge.status, await tooLarge.text()]).toEqual([413, expect.stringContaining('more than')])
  await inside('rm /tmp/huge')
  const announced = await call(`PUT ${content('/tmp/huge')}`, 'x', {
    headers: { authorization: '', 'content-length': String(11 * 2 ** 30) },
  })
  expect(announced.status).toBe(401)
})

test('an upload that breaks off leaves nothing, nor does a worker that is killed', async () => {
  const stop = new AbortController()
  const begun = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.alloc(mib)) })
  const broken = call(`PUT ${content('/tmp/broken')}`, begun, { signal: stop.signal })
  await until('it is written to', () => filesWithoutName() === 1)
  stop.abort()
  expect((await broken).status).toBe(400)
  await until('nobody has it open', () => filesWithoutName() === 0)
  const other = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.alloc(mib)) })
  const killed = call(`PUT ${content('/tmp/killed')}`, other)
  await until('it is written to', () => filesWithoutName() === 1)
  await host.stopWorker('SIGKILL')
  expect((await killed).status).toBe(503)
  expect((await call(`GET ${at('/tmp')}`)).status).toBe(503)
  await host.startWorker()
  await until('files are there again', async () => (await call(`GET ${at('/tmp')}`)).status === 200)
  expect(await inside('ls -A /tmp | grep -e broken -e killed -e berth')).toBe('')
})

test('viewers may not, and what is under way ends with the right to it', async () => {
  const { platform } = host.berth
  const { viewer, id } = await host.berth.makeUser({ teamId: host.teamId, role: 'developer' })
  const theirs = caller((await createToken(platform, viewer, { name: 'mine', role: 'developer' })).secret)
  await inside('dd if=/dev/zero of=/tmp/much bs=1M count=40 2>/dev/null')
  const coming = await theirs(`GET ${content('/tmp/much')}`)
  const reader = coming.body?.getReader()
  await reader?.read()
  const begun = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.alloc(mib)) })
  const going = theirs(`PUT ${content('/tmp/going')}`, begun)
  await changeRole(platform, operator, host.teamId, id, { role: 'viewer' })
  expect((await going).status).toBe(403)
  await expect(
    (async () => {
      while (!(await reader?.read())?.done);
    })(),
  ).rejects.toThrow()
  for (const route of [`GET ${at('/')}`, `GET ${content('/tmp/much')}`, `DELETE ${at('/tmp/much')}`])
    expect((await theirs(route)).status).toBe(403)
  expect(await inside('ls /tmp')).not.toContain('going')
  const narrow = await createToken(platform, developer, { name: 'r', preset: 'read' })
  expect((await caller(narrow.secret)(`GET ${at('/')}`)).status).toBe(403)
})

test('one person has eight of them at once at most', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, () => call(`GET ${content('/tmp/much')}`)))
  expect(all.map(({ status }) => status)).toEqual(Array(8).fill(200))
  const more = await call(`GET ${at('/')}`)
  expect([more.status, more.headers.get('retry-after')]).toEqual([429, expect.any(String)])
  for (const each of all) await each.body?.cancel()
  await until('there is room again', async () => (await call(`GET ${at('/')}`)).status === 200)
})

test('a volume’s files are there while its app runs and while it does not, and a full one says so', async () => {
  const { platform } = host.berth
  const kept = await host.makeApp(await host.push('kept'))
  const volume = await createVolume(platform, operator, kept.id, { ...dataVolume, sizeBytes: 16 * mib })
  const of = `/volumes/${volume.id}`
  await until('it is made', async () => (await getVolume(platform, operator, volume.id)).isMade)
  await said(call(`POST ${of}/files/folders`, JSON.stringify({ path: '/in' })))
  await said(call(`PUT ${content('/in/x', of)}`, 'before'))
  await host.untilStatus((await host.deploy(kept.id)).id, 'live')
  expect(await (await call(`GET ${content('/in/x', of)}`)).text()).toBe('before')
  const byContainer = `/apps/${kept.id}`
  const mounted = `${dataVolume.mountPath}/in/x`
  expect(await (await call(`GET ${content(mounted, byContainer)}`)).text()).toBe('before')
  const full = await call(`PUT ${content('/full', of)}`, Buffer.alloc(20 * mib))
  expect([full.status, await full.text()]).toEqual([409, expect.stringContaining('no space left for /full')])
  const { data } = await said<FileListing>(call(`GET ${at('/', of)}`))
  expect(data.map(({ name }) => name)).toEqual(['in'])
  const { data: app } = await said<FileListing>(call(`GET ${at('/', byContainer)}`))
  expect(app.map(({ name }) => name)).toContain('proc')
  expect(await said(call(`DELETE ${at('/in', of)}&recursive=true`))).toEqual({ removed: 2, isDone: true })
  const entries = await platform.db.auditEvent.findMany({ where: { targetId: volume.id } })
  expect(entries.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['file.make-folder', 'file.upload', 'file.download', 'file.delete']),
  )
})
