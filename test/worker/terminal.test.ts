import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { deleteApp, getApp } from '../../platform/apps.ts'
import { endSession } from '../../platform/end-session.ts'
import { changeRole } from '../../platform/members.ts'
import type { App } from '../../platform/model/resources.ts'
import { signIn } from '../../platform/sessions.ts'
import { openTerminal } from '../../platform/terminals.ts'
import { createToken, revokeToken } from '../../platform/tokens.ts'
import { get } from '../support/edge.ts'
import { makeTar, type TarEntry } from '../support/images.ts'
import { operator } from '../support/platform.ts'
import { connectTerminal, type TestTerminalOptions } from '../support/terminal.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

let host: TestHost
let app: App
let image: string

beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
  const links = ['stty', 'tty', 'vi', 'tee', 'md5sum', 'wc'].map(
    (name): TarEntry => ({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox' }),
  )
  image = await host.push('terminal', { layers: [await makeTar(links)] })
  app = await live()
})
afterAll(() => host?.close())

async function live(of = image, settings = {}): Promise<App> {
  const made = await host.makeApp(of, settings)
  await host.untilStatus((await host.deploy(made.id)).id, 'live')
  return made
}

const ask = (input: Parameters<typeof openTerminal>[3] = {}, viewer = operator, of = app) =>
  openTerminal(host.berth.platform, viewer, of.id, input)
const connect = (ticket: Parameters<typeof connectTerminal>[1], options?: TestTerminalOptions) =>
  connectTerminal(host.berth.config.port, ticket, options)
const open = async (...asked: Parameters<typeof ask>) => connect(await ask(...asked))

/** On this host, of processes whose command line has this in it. */
function processesWith(text: string): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text)
    } catch {
      return false
    }
  }).length
}

test('a shell answers, has the size that it is told, and its exit code is told at its end', async () => {
  const terminal = await open({ terminal: { rows: 33, columns: 101 } })
  terminal.type('stty size; tty\r')
  await terminal.untilShown(/33 101\r\n\/dev\/pts\/\d/)
  terminal.tell({ type: 'resize', rows: 44, columns: 120 })
  terminal.type('stty size\r')
  await terminal.untilShown('44 120')
  terminal.type('exit 7\r')
  expect(await terminal.closed).toMatchObject({ reason: 'exited' })
  expect(terminal.said[0]).toEqual({ type: 'ready', command: ['sh'] })
  expect(terminal.said.at(-1)).toEqual({ type: 'exit', exitCode: 7 })
})

test('what is not ASCII goes both ways whole', async () => {
  const terminal = await open()
  terminal.type('echo "≈ $LANG 你好 🚢" | tee /tmp/utf8; wc -c </tmp/utf8\r')
  // ≈ 3, space, C.UTF-8 7, space, 你好 6, space, 🚢 4, end of the line.
  await terminal.untilShown(/C\.UTF-8 你好 🚢\r\n24\r\n/)
  terminal.close()
})

test('vi takes the whole screen, and what is written in it is in the file', async () => {
  const terminal = await open({ terminal: { rows: 12, columns: 60 } })
  terminal.type('cd /tmp && vi note.txt\r')
  await terminal.untilShown('note.txt')
  // Lines that a file does not have, on a screen of twelve rows.
  await until('vi draws its lines', () => (terminal.output().match(/~/g) ?? []).length >= 9)
  terminal.type('iwritten in vi')
  await terminal.untilShown('written in vi')
  // Keys that come at once with an Escape are one key with Alt.
  const shown = terminal.received()
  terminal.type('\u001b')
  await until('vi has left its insert mode', () => terminal.received() > shown)
  terminal.type(':wq\r')
  terminal.type('echo; echo "[$(cat note.txt)]"\r')
  await terminal.untilShown('[written in vi]')
  terminal.close()
})

test('without a terminal, output and errors are apart, input has an end, and the exit code is told', async () => {
  const command = ['sh', '-c', 'cat; echo wrong >&2; exit 3']
  const terminal = await open({ command, terminal: null })
  terminal.type('one\ntwo\n')
  terminal.tell({ type: 'input-end' })
  expect(await terminal.closed).toMatchObject({ reason: 'exited' })
  expect(terminal.output()).toBe('one\ntwo\n')
  expect(terminal.errors()).toBe('wrong\n')
  expect(terminal.said.at(-1)).toEqual({ type: 'exit', exitCode: 3 })
})

test('who does not read stops the program, and loses nothing', async () => {
  const command = ['sh', '-c', 'seq 1 200000; touch /tmp/written']
  const slow = await connect(await ask({ command, terminal: null }), { isSlow: true })
  // Full: the window, and what pipes hold. It does not grow, and the program has not come to its end.
  await until('the window is full', () => slow.received() === 256 * 1024)
  const looking = await open({ command: ['ls', '/tmp'], terminal: null })
  await looking.closed
  expect(looking.output()).not.toContain('written')
  expect(slow.received()).toBe(256 * 1024)
  // From here on it reads.
  for (let told = 0; told < 1_288_895; ) {
    const before = told
    await until('more has come', () => slow.received() > before)
    told = slow.received()
    slow.tell({ type: 'taken', bytes: told })
  }
  expect(await slow.closed).toMatchObject({ reason: 'exited' })
  const lines = slow.output().trimEnd().split('\n')
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([200_000, '1', '200000'])
})

test('much input comes whole to a program that reads slowly', async () => {
  const command = ['sh', '-c', 'sleep 0.3; md5sum']
  const terminal = await open({ command, terminal: null })
  const piece = 'x'.repeat(32 * 1024)
  let sent = 0
  const taken = () => {
    const last = terminal.said.findLast((each) => (each as { type: string }).type === 'taken')
    return (last as { bytes: number } | undefined)?.bytes ?? 0
  }
  while (sent < 2 ** 21) {
    await until('there is room', () => sent - taken() + piece.length <= 256 * 1024)
    terminal.type(piece)
    sent += piece.length
  }
  terminal.tell({ type: 'input-end' })
  expect(await terminal.closed).toMatchObject({ reason: 'exited' })
  // Of 2 MiB of x.
  expect(terminal.output()).toContain('67b2f816a30e8956149b2d7beb479e51')
})

test('nonsense, and input beyond the window, ends it', async () => {
  for (const nonsense of [
    'no JSON',
    '{"type":"resize","rows":0,"columns":1}',
    '{"type":"taken","bytes":1e9}',
  ]) {
    const terminal = await open()
    terminal.tell(nonsense)
    expect(await terminal.closed, nonsense).toMatchObject({ reason: 'badMessage' })
  }
  const stuck = await open({ command: ['sleep', '600'], terminal: null })
  for (let piece = 0; piece < 20; piece++) stuck.type('x'.repeat(32 * 1024))
  expect(await stuck.closed).toMatchObject({ reason: 'badMessage' })
})

test('a ticket that is forged, used, too old or for elsewhere opens nothing', async () => {
  const { platform } = host.berth
  const refused = { reason: 'ticketRefused', text: expect.stringContaining('Ask for another') }
  const good = await ask()
  const forged = await connect({ ...good, ticket: `${good.ticket.slice(0, -1)}x` })
  expect(await forged.closed).toMatchObject(refused)
  const used = await connect(good)
  await until('it is open', () => used.said.length > 0)
  const replayed = await connect(good)
  expect(await replayed.closed).toMatchObject(refused)
  used.close()
  const old = await ask()
  const [key = ''] = await platform.redis.keys('berth:terminal:*')
  expect(await platform.redis.pttl(key)).toBeLessThanOrEqual(30_000)
  await platform.redis.pexpire(key, 1)
  await until('it is too old', async () => (await platform.redis.exists(key)) === 0)
  expect(await (await connect(old)).closed).toMatchObject(refused)
  // Of another host: neither there nor, once used, here.
  const elsewhere = await ask()
  const [other = ''] = await platform.redis.keys('berth:terminal:*')
  const work = JSON.parse((await platform.redis.get(other)) ?? '')
  await platform.redis.set(other, JSON.stringify({ ...work, hostId: 'hst_elsewhere' }))
  expect(await (await connect(elsewhere)).closed).toMatchObject(refused)
  await expect(connect(await ask(), { path: '/api/terminal/hst_elsewhere' })).rejects.toThrow('404')
})

test('a page of another origin opens nothing, nor who does not speak the protocol', async () => {
  const { port } = host.berth.config
  for (const origin of ['https://evil.example', `http://shop-acme.localhost:${port}`, 'null'])
    await expect(connect(await ask(), { headers: { origin } }), origin).rejects.toThrow('403')
  const own = await connect(await ask(), { headers: { origin: `http://localhost:${port}` } })
  own.close()
  const { path, ticket } = await ask()
  await expect(connect({ path, ticket }, { protocols: ['berth.terminal.v1'] })).rejects.toThrow('400')
  await expect(connect({ path, ticket }, { protocols: [`berth.ticket.${ticket}`] })).rejects.toThrow('400')
  expect((await get(port, 'localhost', { path })).status).toBe(426)
  // By the name of an app, it is the app's.
  const ofApp = await get(port, new URL(app.urls[0] ?? '').hostname, { path })
  expect(ofApp.status).toBe(404)
  expect(ofApp.headers.upgrade).toBeUndefined()
})

test('a viewer gets no ticket; a developer who becomes one, or leaves, loses what is open', async () => {
  const { platform, makeUser } = host.berth
  const viewer = await makeUser({ teamId: host.teamId, role: 'viewer' })
  await expect(ask({}, viewer.viewer)).rejects.toMatchObject({ code: 'forbidden' })
  await expect(ask({}, (await makeUser()).viewer)).rejects.toMatchObject({ code: 'not-found' })
  const developer = await makeUser({ teamId: host.teamId, role: 'developer' })
  const terminal = await open({}, developer.viewer)
  terminal.type('sleep 4242\r')
  await until('it sleeps', () => processesWith('sleep\x004242') === 1)
  await changeRole(platform, operator, host.teamId, developer.id, { role: 'viewer' })
  expect(await terminal.closed).toMatchObject({ reason: 'rightEnded' })
  await until('what ran in it has ended', () => processesWith('sleep\x004242') === 0)
})

test('a session that ends, and a token that is revoked, end what they opened', async () => {
  const { platform, makeUser } = host.berth
  const user = await makeUser({ teamId: host.teamId, role: 'developer' })
  const { email, password, id } = user
  const { sessionId } = await signIn(platform, { email, password, address: '127.0.0.1' })
  const bySession = await open({}, { kind: 'user', userId: id, sessionId })
  await until('it is open', () => bySession.said.length > 0)
  const token = await createToken(platform, user.viewer, { name: 'ci', role: 'developer' })
  const scope = { actions: ['*'], projectIds: [], appIds: [], repositories: [] }
  const byToken = await open(
    {},
    { kind: 'token', tokenId: token.id, userId: id, teamId: null, makerId: null, role: 'developer', scope },
  )
  await until('it is open', () => byToken.said.length > 0)
  await endSession(platform, sessionId)
  expect(await bySession.closed).toMatchObject({ reason: 'rightEnded' })
  await revokeToken(platform, user.viewer, token.id)
  expect(await byToken.closed).toMatchObject({ reason: 'rightEnded' })
})

test('it ends with its container, and with its app', async () => {
  const other = await live()
  const ofContainer = await open({}, operator, other)
  await until('it is open', () => ofContainer.said.length > 0)
  await host.untilStatus((await host.deploy(other.id)).id, 'live')
  expect(await ofContainer.closed, JSON.stringify(ofContainer.said)).toMatchObject({
    reason: 'containerEnded',
  })
  // One that takes its time to end: the right to it has ended before.
  const entrypoint = ['/bin/sh', '-c', 'trap "" TERM; httpd -f -p $PORT -h /www & wait; wait']
  const stubborn = await live(await host.push('stubborn', { entrypoint }), { stopGraceMs: 20_000 })
  const { viewer } = await host.berth.makeUser({ teamId: host.teamId, role: 'developer' })
  const ofApp = await open({}, viewer, stubborn)
  await until('it is open', () => ofApp.said.length > 0)
  await deleteApp(host.berth.platform, operator, stubborn.id)
  expect(await ofApp.closed).toMatchObject({ reason: 'rightEnded' })
  await expect(ask({}, operator, stubborn)).rejects.toMatchObject({ code: 'not-found' })
})

test('an image without a shell is explained, and so is a program that is not there', async () => {
  const program = { name: 'busybox', content: readFileSync('/bin/busybox'), mode: 0o755 }
  const entrypoint = ['/busybox', 'httpd', '-f', '-p', '8080', '-h', '/']
  const bare = await host.push('bare', { bare: true, entrypoint, layers: [await makeTar([program])] })
  const without = await open({}, operator, await live(bare, { port: 8080 }))
  expect(await without.closed).toMatchObject({ reason: 'noProgram', text: 'The image has no shell.' })
  const none = await open({ command: ['/no/such'] })
  expect(await none.closed).toMatchObject({ reason: 'noProgram', text: expect.stringContaining('/no/such') })
})

test('a debug shell is opened beside an image without one, with its processes, network and files', async () => {
  const program = { name: 'busybox', content: readFileSync('/bin/busybox'), mode: 0o755 }
  const kept = { name: 'kept', content: 'a file of the app' }
  const entrypoint = ['/busybox', 'httpd', '-f', '-p', '8080', '-h', '/']
  const bare = await host.push('beside', { bare: true, entrypoint, layers: [await makeTar([program, kept])] })
  const without = await live(bare, { port: 8080 })
  const { viewer, id } = await host.berth.makeUser({ teamId: host.teamId, role: 'developer' })
  const terminal = await open({ debug: true, terminal: { rows: 24, columns: 200 } }, viewer, without)
  await terminal.untilShown("The container's files are at /proc/1/root.")
  terminal.type('pwd; cat /proc/1/root/kept; echo\r')
  await terminal.untilShown(/\r\n\/tmp\r\n/)
  await terminal.untilShown('a file of the app')
  terminal.type('ps -o args | grep htt[p]d; wget -qO- http://127.0.0.1:8080/kept | wc -c\r')
  await terminal.untilShown(/\/busybox httpd -f -p 8080[\s\S]*\r\n17\r\n/)
  expect(processesWith('sleep\x002147483647')).toBe(1)
  // It is no replica of the app.
  expect((await getApp(host.berth.platform, operator, without.id)).containers).toHaveLength(1)
  terminal.type('exit 5\r')
  expect(await terminal.closed).toMatchObject({ reason: 'exited' })
  expect(terminal.said.at(-1)).toEqual({ type: 'exit', exitCode: 5 })
  await until('the tools are gone', () => processesWith('sleep\x002147483647') === 0)
  const opened = await host.berth.platform.db.auditEvent.findFirst({
    where: { actorUserId: id, action: 'terminal.open' },
  })
  expect(opened?.detail).toMatchObject({ debug: true })
  const command = await open({ debug: true, command: ['id', '-u'], terminal: null }, viewer, without)
  await command.closed
  expect(command.output()).toBe('0\n')
  const ending = await open({ debug: true }, viewer, without)
  await ending.untilShown('/proc/1/root')
  await deleteApp(host.berth.platform, operator, without.id)
  expect((await ending.closed).reason).toMatch(/rightEnded|containerEnded/)
  await until('the tools are gone', () => processesWith('sleep\x002147483647') === 0)
})

test('who leaves without a word leaves nothing behind, and who opened it is in the audit log', async () => {
  const { platform, makeUser } = host.berth
  const { viewer, id } = await makeUser({ teamId: host.teamId, role: 'developer' })
  const terminal = await open({ command: ['sleep', '4343'] }, viewer)
  await until('it runs', () => processesWith('sleep\x004343') === 1)
  terminal.cut()
  await until('it has ended', () => processesWith('sleep\x004343') === 0)
  const entries = await until('both are written down', async () => {
    const found = await platform.db.auditEvent.findMany({
      where: { actorUserId: id, action: { startsWith: 'terminal.' } },
      orderBy: { id: 'asc' },
    })
    return found.length === 2 && found
  })
  expect(entries.map(({ action, targetId }) => [action, targetId])).toEqual([
    ['terminal.open', app.id],
    ['terminal.end', app.id],
  ])
  expect(entries[0]?.detail).toMatchObject({ command: 'sleep 4343' })
  expect(entries[1]?.detail).toMatchObject({ reason: 'left' })
})

test('one person has ten of them at most', async () => {
  const { viewer } = await host.berth.makeUser({ teamId: host.teamId, role: 'developer' })
  const all = await Promise.all(Array.from({ length: 10 }, () => open({ command: ['cat'] }, viewer)))
  await until('all are open', () => all.every(({ said }) => said.length > 0))
  const more = await open({}, viewer)
  expect(await more.closed).toMatchObject({ reason: 'tooMany' })
  all[0]?.close()
  await until('there is room again', async () => {
    const again = await open({ command: ['true'] }, viewer)
    return (await again.closed).reason === 'exited'
  })
  for (const each of all) each.close()
})

test('a worker that is killed leaves a program behind until the next one starts', async () => {
  const terminal = await open({ command: ['sh', '-c', 'trap "" HUP; sleep 4444 & wait; sleep 4445'] })
  await until('it runs', () => processesWith('sleep\x004444') === 1)
  const beside = await open({ debug: true })
  await beside.untilShown('/proc/1/root')
  await host.stopWorker('SIGKILL')
  expect((await terminal.closed).code).toBe(1006)
  await host.startWorker()
  await until('the shell has ended', () => processesWith('sleep 4444 & wait') === 0)
  expect(processesWith('sleep\x002147483647')).toBe(0)
  const again = await open()
  again.type('echo "it is $((40 + 2))"\r')
  await again.untilShown('it is 42')
  await host.stopWorker('SIGTERM')
  expect(await again.closed).toMatchObject({ reason: 'goingAway' })
})
