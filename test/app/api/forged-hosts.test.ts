/**
 * What a request says of the host that it is for is the client's word. Links lead where the administrator said that
 * Berth is, in answers and in letters alike.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createApi } from '../../../app/api/v1/_routes/api.ts'
import { answerLinkRequest, askReset } from '../../../platform/link-requests.ts'
import { deliver } from '../../../platform/mail/outbox.ts'
import { changeMail, removeMail } from '../../../platform/mail/settings.ts'
import { withRequestOrigin } from '../../../platform/request-origin.ts'
import { linkIn, type MailServer, startMailServer } from '../../support/mail-server.ts'
import { operator, type TestUser } from '../../support/platform.ts'
import { type ApiUnderTest, type Body, openApi } from './client.ts'

const forged: Record<string, string> = {
  host: 'evil.example',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-forwarded-port': '666',
  'x-original-url': 'https://evil.example/',
  forwarded: 'for=1.2.3.4;host=evil.example;proto=https',
}
const ours = 'http://localhost:7080/'

let berth: ApiUnderTest
let mail: MailServer
let team: string
let person: TestUser

beforeAll(async () => {
  berth = await openApi()
  mail = await startMailServer()
  team = (await berth.makeTeam()).id
  person = await berth.makeUser({ teamId: team, role: 'owner' })
})
afterAll(async () => {
  await mail?.close()
  await berth?.close()
})
beforeEach(() => removeMail(berth.platform, operator))

/** As the operator, by an address of the attacker's. */
async function ask(route: string, body?: object) {
  const [method = '', path] = route.split(' ')
  const authorization = `Bearer ${berth.config.readSecret('operator.token')}`
  const request = new Request(`http://evil.example/api/v1${path}`, {
    method,
    headers: { ...forged, authorization, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const response = await createApi(berth.platform).fetch(request)
  const text = await response.text()
  expect(`${[...response.headers]} ${text}`).not.toContain('evil.example')
  return { status: response.status, headers: response.headers, body: JSON.parse(text) as Body }
}

test('links that are passed on by hand lead here', async () => {
  for (const [route, body] of [
    [`POST /teams/${team}/invitations`, { email: 'ada@example.org' }],
    [`POST /admin/users/${person.id}/reset-link`, undefined],
    ['POST /operator/setup-link', undefined],
  ] as const) {
    const { status, body: made } = await ask(route, body)
    expect([route, status < 300, made.url?.startsWith(ours)]).toEqual([route, true, true])
  }
  const { headers } = await ask(`POST /teams/${team}/projects`, { name: 'Shop' })
  expect(headers.get('location')).toMatch(/^\/api\/v1\/projects\//)
})

test('links in letters lead here', async () => {
  const { platform } = berth
  await changeMail(platform, operator, {
    ...{ host: '127.0.0.1', port: mail.port, security: 'none', from: 'berth@example.org' },
  })
  await ask(`POST /teams/${team}/invitations`, { email: 'grace@example.org' })
  await withRequestOrigin({ address: '203.0.113.9', userAgent: 'x' }, () =>
    askReset(platform, { email: person.email }, { address: '203.0.113.9' }),
  )
  for (const { id } of await platform.db.linkRequest.findMany()) await answerLinkRequest(platform, id)
  for (const { id } of await platform.db.mail.findMany()) await deliver(platform, id)
  expect(mail.received).toHaveLength(2)
  for (const letter of mail.received) {
    expect(letter.raw).not.toContain('evil')
    expect(linkIn(letter, letter.to[0] === person.email ? 'reset' : 'join').startsWith(ours)).toBe(true)
  }
})
