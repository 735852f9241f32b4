import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createApp } from '../../platform/apps.ts'
import { listAudit } from '../../platform/audit-log.ts'
import { getEdgeAccess, setEdgeAccess } from '../../platform/edge-access.ts'
import { sha512Crypt } from '../../platform/sha512-crypt.ts'
import { desiredRoutes } from '../../platform/worker/desired-routes.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let teamId: string
let appId: string

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  teamId = (await berth.makeTeam('Acme')).id
  const project = await berth.makeProject(teamId)
  const settings = { image: 'registry.example/app:1', port: 80 }
  appId = (await createApp(berth.platform, operator, project.id, { name: 'Shop', settings })).id
})
afterAll(() => berth?.close())

const set = (input: Parameters<typeof setEdgeAccess>[3]) =>
  setEdgeAccess(berth.platform, operator, appId, input)
const hashes = async () =>
  (await desiredRoutes(berth.platform, berth.config.hostId)).find((route) => route.appId === appId)?.access
    ?.users

test('the hash is that of crypt(3), method 6', () => {
  expect(sha512Crypt('Hello world!', 'saltstringsaltst', 10_000)).toBe(
    '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
  )
  const long = 'a very much longer text to encrypt.  This one even stretches over morethan one line.'
  expect(sha512Crypt(long, 'anotherlongsalts', 1_400)).toBe(
    '$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1',
  )
  expect(sha512Crypt('the same')).not.toBe(sha512Crypt('the same'))
})

test('passwords are write-only, stay where they are left away, and reach neither answers nor the audit log', async () => {
  const given = { users: [{ name: 'ada', password: 'correct horse' }], addresses: ['203.0.113.0/24'] }
  expect(await set(given)).toEqual({ users: [{ name: 'ada' }], addresses: ['203.0.113.0/24'] })
  const before = await hashes()
  await set({ users: [{ name: 'ada' }, { name: 'bob', password: 'another horse' }], addresses: [] })
  expect((await hashes())?.[0]).toEqual(before?.[0])
  expect(await getEdgeAccess(berth.platform, operator, appId)).toEqual({
    users: [{ name: 'ada' }, { name: 'bob' }],
    addresses: [],
  })
  await set({ users: [{ name: 'ada', password: 'a new horse' }], addresses: [] })
  expect((await hashes())?.[0]).not.toEqual(before?.[0])
  const log = JSON.stringify((await listAudit(berth.platform, operator, { teamId })).data)
  expect(log).toContain('app.change-access')
  expect(log).not.toMatch(/\$6\$|horse/)
})

test.each([
  [{ users: [{ name: 'new' }], addresses: [] }, 'users.0.password'],
  [{ users: [{ name: 'a b', password: 'long enough' }], addresses: [] }, 'users.0.name'],
  [{ users: [{ name: 'x', password: 'short' }], addresses: [] }, 'users.0.password'],
  [{ users: [], addresses: ['203.0.113.0/33'] }, 'addresses.0'],
  [{ users: [], addresses: ['anywhere'] }, 'addresses.0'],
])('what is wrong is said at its field (%#)', async (input, path) => {
  await expect(set(input)).rejects.toMatchObject({ code: 'invalid', fields: [{ path }] })
})
