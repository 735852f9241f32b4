/** How long a terminal may be open: its session with limits of its own, an engine, a WebSocket and a shell. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { channels, closeReasonOf } from '../../platform/model/terminal.ts'
import { runSession, type SessionLimits } from '../../worker/terminal/session.ts'
import { startEngine, type TestEngine } from '../support/engine.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { until } from '../support/until.ts'

let berth: TestPlatform
let host: TestEngine
let server: WebSocketServer
let containerId: string
let appId: string
let teamId: string
beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  host = await startEngine()
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  teamId = (await berth.makeTeam()).id
  appId = (await berth.makeApp(teamId)).id
  const spec = host.spec()
  await host.engine.containers.create(spec)
  await host.engine.containers.start(spec.id)
  containerId = spec.id
})
afterAll(async () => {
  server?.close()
  await host?.close()
  await berth?.close()
})

async function open(limits: SessionLimits) {
  const { port } = server.address() as AddressInfo
  const client = new WebSocket(`ws://127.0.0.1:${port}`)
  const received: string[] = []
  client.on('message', (data: Buffer, isBinary) => {
    if (isBinary) received.push(data.subarray(1).toString())
  })
  const closed = once(client, 'close').then(([code]) => closeReasonOf(Number(code)))
  const [socket] = (await once(server, 'connection')) as [WebSocket]
  socket.pause()
  const work = {
    ...{ viewer: operator, appId, name: 'app', teamId, hostId: 'here', containerId, debug: false },
    terminal: { rows: 24, columns: 80 },
  }
  const parts = { engine: host.engine, platform: berth.platform, log: berth.platform.log }
  const end = runSession(parts, socket, work, limits, new AbortController().signal)
  const reason = end.then((each) => each.reason)
  const type = (text: string) =>
    client.send(Buffer.concat([Buffer.from([channels.input]), Buffer.from(text)]))
  await until('the shell is there', () => received.length > 0)
  return { closed, reason, type, output: () => received.join('') }
}

const shells = async () =>
  (await host.engine.containers.top(containerId)).filter(({ command }) => command[0] === 'sh').length

test('one in which nothing is typed or written is closed, and what ran in it ends', async () => {
  const terminal = await open({ idleMs: 400, wholeMs: 600_000 })
  expect(await shells()).toBe(1)
  expect(await terminal.closed).toBe('idle')
  expect(await terminal.reason).toBe('idle')
  expect(await shells()).toBe(0)
})

test('what is typed, and what is written, keeps one open', async () => {
  const typed = await open({ idleMs: 1_500, wholeMs: 600_000 })
  // Nothing comes back of what is typed.
  typed.type('stty -echo; cat >/dev/null\r')
  const from = Date.now()
  while (Date.now() - from < 4_000) {
    typed.type(':')
    await sleep(100)
  }
  typed.type('\r\u0004')
  typed.type('echo still-$((40 + 2))\r')
  await until('it answers', () => typed.output().includes('still-42'))
  typed.type('for i in 1 2 3 4 5 6 7 8; do sleep 0.5; echo line-$i; done\r')
  await until('all is written', () => typed.output().includes('line-8'))
  expect(await typed.closed).toBe('idle')
})

test('one is closed at the end of its time, whatever happens in it', async () => {
  const terminal = await open({ idleMs: 600_000, wholeMs: 1_000 })
  terminal.type("trap 'echo told >/tmp/told; exit' HUP; while :; do echo busy; sleep 0.05; done\r")
  await until('it is busy', () => terminal.output().includes('busy\r\n'))
  expect(await terminal.closed).toBe('timeLimit')
  expect(await terminal.reason).toBe('timeLimit')
  expect(await shells()).toBe(0)
  // As when a line is cut, so that it can put its things in order.
  const look = await host.engine.containers.exec(containerId, { command: ['cat', '/tmp/told'] })
  expect(await text(look.output)).toBe('told\n')
})
