/**
 * Every stream of events × every way to lose the right to it: it ends at once, also when it is silent, and not with the
 * look that is taken every half minute anyway.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { streams as streamsOf } from '../../../platform/event-log.ts'
import { changeRole, removeMember } from '../../../platform/members.ts'
import { changeProjectAccess } from '../../../platform/project-access.ts'
import { deleteTeam } from '../../../platform/team-deletion.ts'
import { createTeamToken, createToken, revokeToken } from '../../../platform/tokens.ts'
import { endUserSessions, suspendUser } from '../../../platform/user-admin.ts'
import { operator, type TestUser } from '../../support/platform.ts'
import { until } from '../../support/until.ts'
import { cookieHeaders, openSession } from '../callers.ts'
import { type ThingsMaker, thingsOf } from '../things.ts'
import { type ApiUnderTest, openApi } from './client.ts'
import { rules } from './rules.ts'

let berth: ApiUnderTest
let team: string
let things: ThingsMaker
/** How often somebody began to wait for changes of rights. */
let listening: () => number

beforeAll(async () => {
  berth = await openApi()
  team = (await berth.makeTeam('Acme')).id
  things = thingsOf(berth, team)
  const waiting = vi.spyOn(berth.platform.reader, 'waitFor')
  listening = () => waiting.mock.calls.filter(([stream]) => stream === streamsOf.access().name).length
})
afterAll(() => berth?.close())

/** Those that say of themselves that they answer with events. */
async function streams(): Promise<string[]> {
  const { body } = await berth.nobody('GET /openapi.json')
  return Object.entries(body.paths as Record<string, Record<string, unknown>>)
    .filter(([, methods]) => JSON.stringify(methods.get ?? {}).includes('text/event-stream'))
    .map(([path]) => `GET ${path}`)
}

interface Follower {
  person: TestUser
  headers: Record<string, string>
  /** Of a token that a person follows by. */
  token?: string
}

async function withCookie(): Promise<Follower> {
  const person = await berth.makeUser({ teamId: team, role: 'developer' })
  return { person, headers: cookieHeaders(await openSession(berth, person)) }
}

async function withToken(make: typeof createTeamToken | null): Promise<Follower> {
  const person = await berth.makeUser({ teamId: team, role: 'admin' })
  const { id, secret } =
    make === null
      ? await createToken(berth.platform, person.viewer, { name: 'follows' })
      : await make(berth.platform, person.viewer, team, { name: 'follows' })
  return { person, token: id, headers: { authorization: `Bearer ${secret}` } }
}

type Way = [follow: () => Promise<Follower>, lose: (follower: Follower, project: string) => Promise<unknown>]

const ways: Record<string, Way> = {
  'is removed from the team': [
    withCookie,
    ({ person }) => removeMember(berth.platform, operator, team, person.id),
  ],
  'is shut out of the project': [
    withCookie,
    ({ person }, project) =>
      changeProjectAccess(berth.platform, operator, project, person.id, { access: 'none' }),
  ],
  'is suspended': [withCookie, ({ person }) => suspendUser(berth.platform, operator, person.id)],
  'has his sessions ended': [
    withCookie,
    ({ person }) => endUserSessions(berth.platform, operator, person.id),
  ],
  'has his token revoked': [
    () => withToken(null),
    ({ token = '' }) => revokeToken(berth.platform, operator, token),
  ],
  'is removed, and follows by a token of his': [
    () => withToken(null),
    ({ person }) => removeMember(berth.platform, operator, team, person.id),
  ],
  'is removed, and follows by a token of the team that he made': [
    () => withToken(createTeamToken),
    ({ person }) => removeMember(berth.platform, operator, team, person.id),
  ],
}

interface Open {
  /** Ends when the stream does; rejects where that takes as long as a look that is taken anyway might. */
  ended(): Promise<void>
  isOpen(): boolean
  leave(): void
}

/** Reads as browsers do, from now on; it is told of what changes in rights by the time this answers. */
async function follow(path: string, headers: Record<string, string>): Promise<Open> {
  const before = listening()
  const response = await berth.fetch(path, { headers: { ...headers, accept: 'text/event-stream' } })
  expect([path, response.status, response.headers.get('content-type')]).toEqual([
    ...[path, 200],
    'text/event-stream; charset=utf-8',
  ])
  const left = new AbortController()
  let isOpen = true
  const whole = (response.body ?? new ReadableStream())
    .pipeTo(new WritableStream(), { signal: left.signal })
    .catch(() => {})
    .finally(() => {
      isOpen = false
    })
  await until(`${path} listens`, () => listening() > before)
  return {
    isOpen: () => isOpen,
    leave: () => left.abort(),
    async ended() {
      await until(`${path} ends`, () => !isOpen, 10_000)
      await whole
    },
  }
}

/** As far as they are in a project. What remains of a team's own is told to whoever lost one project of it. */
const isOfTeam = (route: string) => route.startsWith('GET /teams/')

test('there are streams, and each has an address here', async () => {
  const found = await streams()
  expect(found.length).toBeGreaterThan(4)
  expect(found.filter((route) => rules[route] === undefined)).toEqual([])
})

describe('every stream ends for who', () => {
  test.each(Object.entries(ways))('%s', async (name, [come, lose]) => {
    for (const route of await streams()) {
      if (name === 'is shut out of the project' && isOfTeam(route)) continue
      const path = await things.for(rules[route]?.[1] ?? (() => ''))
      const follower = await come()
      const other = await withCookie()
      const stays = await follow(path, other.headers)
      const stream = await follow(path, follower.headers)
      await lose(follower, await things.for(({ project }) => project))
      await stream.ended()
      // It is for him alone that it ends.
      expect([route, stays.isOpen()]).toEqual([route, true])
      stays.leave()
    }
  })

  test('is in a team that is deleted', async () => {
    const gone = await berth.makeTeam('Gone')
    const person = await berth.makeUser({ teamId: gone.id, role: 'owner' })
    const headers = cookieHeaders(await openSession(berth, person))
    const its = thingsOf(berth, gone.id)
    const open = []
    for (const route of await streams())
      open.push(await follow(await its.for(rules[route]?.[1] ?? (() => '')), headers))
    await deleteTeam(berth.platform, person.viewer, gone.id, { confirm: 'Gone' })
    for (const stream of open) await stream.ended()
  })
})

test('a member who is demoted is told from then on what the weaker role may see, and no more', async () => {
  const { person, headers } = await withCookie()
  const path = await things.for(({ deployment }) => `/deployments/${deployment}/events`)
  const project = await things.for(({ project: id }) => id)
  await changeProjectAccess(berth.platform, operator, project, person.id, { access: 'admin' })
  await changeRole(berth.platform, operator, team, person.id, { role: 'viewer' })
  const stream = await follow(path, headers)
  // What he may in the project outlives the demotion in the team, until it is taken away as well.
  await changeProjectAccess(berth.platform, operator, project, person.id, { access: 'viewer' })
  const again = await follow(path, headers)
  expect(stream.isOpen()).toBe(true)
  await changeProjectAccess(berth.platform, operator, project, person.id, { access: 'none' })
  await stream.ended()
  await again.ended()
})
