import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BerthHome, makeBerthHome } from '../support/berth-home.ts'
import { freePort } from '../support/registry.ts'
import { getSecurely } from '../support/tls-edge.ts'
import { until } from '../support/until.ts'

/** What `berth up --own-https` prints is enough for a client that trusts nobody else. */
let berth: BerthHome
let httpsPort: number
let started: Awaited<ReturnType<BerthHome['up']>>

beforeAll(async () => {
  berth = await makeBerthHome()
  httpsPort = await freePort()
  started = await berth.up('--own-https', '--https-port', String(httpsPort))
})
afterAll(() => berth?.close())

test('with the certificate that is printed, dashboard, API and an app are reached by HTTPS; without it nobody trusts them', async () => {
  expect(started.dashboard).toBe(`https://localhost:${httpsPort}`)
  expect(started.setupLink).toContain(`https://localhost:${httpsPort}/setup?token=`)
  const [, url = '', fingerprint] =
    /^Certificate +(http:\S+)\n.*SHA-256 ([0-9A-F:]{95})$/m.exec(started.output) ?? []
  const { status, body: ca } = await berth.open(url)
  expect([status, new X509Certificate(ca).fingerprint256]).toEqual([200, fingerprint])

  const ask = (name: string, path: string) => getSecurely(httpsPort, name, { ca, path })
  expect((await ask('localhost', '/sign-in')).status).toBe(200)
  expect((await ask('localhost', '/api/v1/openapi.json')).status).toBe(200)
  const app = new URL(started.welcome ?? '').hostname
  const page = await until('the app has its certificate', () => ask(app, '/').catch(() => null))
  expect([page.status, page.body]).toEqual([200, expect.stringContaining('Berth')])
  const stranger = getSecurely(httpsPort, 'localhost', { ca: new X509Certificate(ca).toString().slice(0, 0) })
  await expect(stranger).rejects.toThrow(/certificate/)

  const sent = await berth.open(`http://localhost:${berth.port}/sign-in?x=y`)
  expect([sent.status, sent.headers.location]).toEqual([308, `https://localhost:${httpsPort}/sign-in?x=y`])
})
