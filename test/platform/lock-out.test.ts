/** Brute force is stopped, and stopping it locks nobody out who is not guessing. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Platform } from '../../platform/open.ts'
import { networkOf } from '../../platform/origin.ts'
import { signIn } from '../../platform/sessions.ts'
import { openTestPlatform, type TestPlatform, type TestUser } from '../support/platform.ts'

let berth: TestPlatform
let platform: Platform

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  platform = berth.platform
})
afterAll(() => berth?.close())

const attempt = (email: string, address: string, password: string, device?: string) =>
  signIn(platform, { email, password, address, device })
const outcome = (email: string, address: string, password = 'wrong', device?: string) =>
  attempt(email, address, password, device).then(
    () => 'in',
    (error) => error.code as string,
  )
const outcomes = async (count: number, each: (n: number) => Promise<string>) => {
  const seen: string[] = []
  for (let n = 0; n < count; n++) seen.push(await each(n))
  return seen
}
const wrong = (count: number) => Array.from({ length: count }, () => 'unauthenticated')

/** As if the time to wait had passed; what was counted stays. */
async function letWaitPass(): Promise<void> {
  const keys = await platform.redis.keys('berth:guess:*:wait')
  if (keys.length > 0) await platform.redis.del(...keys)
}

const waitOf = (email: string, address: string) =>
  attempt(email, address, 'wrong').then(
    () => 0,
    (error) => (error.code === 'rate-limited' ? (error.retryAfterSeconds as number) : 0),
  )

test('each wrong guess after the fifth doubles the wait, up to 15 minutes; hammering makes it no longer', async () => {
  const { email, password } = await berth.makeUser()
  const from = '198.51.100.1'
  expect(await outcomes(5, () => outcome(email, from))).toEqual(wrong(5))
  const waits: number[] = []
  for (let n = 0; n < 7; n++) {
    for (let hammer = 0; hammer < 3; hammer++) expect(await outcome(email, from)).toBe('rate-limited')
    waits.push(await waitOf(email, from))
    await letWaitPass()
    expect(await outcome(email, from)).toBe('unauthenticated')
  }
  for (const [n, wanted] of [30, 60, 120, 240, 480, 900, 900].entries()) {
    expect(waits[n]).toBeLessThanOrEqual(wanted)
    expect(waits[n]).toBeGreaterThan(wanted - 5)
  }
  // Even the right password has to wait there: otherwise a guess would be told from the others by its answer.
  expect(await outcome(email, from, password)).toBe('rate-limited')
})

test('a hundred guesses at once are no more than a hundred one after the other', async () => {
  const { email } = await berth.makeUser()
  const seen = await Promise.all(Array.from({ length: 100 }, () => outcome(email, '198.51.100.2')))
  expect(seen.filter((code) => code === 'unauthenticated')).toHaveLength(5)
  expect(seen.filter((code) => code === 'rate-limited')).toHaveLength(95)
})

test('twenty right passwords at once are no guesses, as a push with a password sends them', async () => {
  const { email, password } = await berth.makeUser()
  const all = (count: number, word: string) =>
    Promise.all(Array.from({ length: count }, () => outcome(email, '198.51.100.3', word)))
  expect(new Set(await all(20, password))).toEqual(new Set(['in']))
  // Nothing is left of them, and wrong ones count as ever.
  const seen = await all(20, 'wrong')
  expect(seen.filter((code) => code === 'unauthenticated')).toHaveLength(5)
  expect(seen.filter((code) => code === 'rate-limited')).toHaveLength(15)
  expect(await outcome(email, '198.51.100.3', password)).toBe('rate-limited')
})

test("an attacker's failures keep nobody else out: not from another network, not in a known browser", async () => {
  const user = await berth.makeUser()
  const { device } = await attempt(user.email, '192.0.2.10', user.password)
  const attack = (address: string) => outcomes(8, () => outcome(user.email, address))
  expect(await attack('203.0.113.1')).toContain('rate-limited')
  expect(await outcome(user.email, '192.0.2.99', user.password)).toBe('in')
  // The attacker sits in the same office, behind one address: the known browser has a count of its own.
  expect(await attack('192.0.2.10')).toContain('rate-limited')
  expect(await outcome(user.email, '192.0.2.10', user.password)).toBe('rate-limited')
  expect(await outcome(user.email, '192.0.2.10', user.password, device)).toBe('in')
})

test('a browser is known for its own account alone, and guessing in it is slowed down too', async () => {
  const [mine, other] = [await berth.makeUser(), await berth.makeUser()]
  const from = '192.0.2.20'
  const { device } = await attempt(mine.email, from, mine.password)
  expect(await outcomes(6, () => outcome(other.email, from, 'wrong', device))).toEqual([
    ...wrong(5),
    'rate-limited',
  ])
  expect(await outcomes(11, () => outcome(mine.email, from, 'wrong', device))).toEqual([
    ...wrong(10),
    'rate-limited',
  ])
  // A cookie of somebody's own making is worth nothing.
  expect(await outcomes(6, () => outcome(other.email, '192.0.2.21', 'wrong', 'A'.repeat(40)))).toContain(
    'rate-limited',
  )
})

test('very many networks together get a hundred guesses an hour, and the owner still comes in from home', async () => {
  const user: TestUser = await berth.makeUser()
  const { device } = await attempt(user.email, '192.0.2.30', user.password)
  const seen = await outcomes(101, (n) => outcome(user.email, `10.7.${n}.1`))
  expect(seen).toEqual([...wrong(100), 'rate-limited'])
  expect(await outcome(user.email, '192.0.2.30', user.password)).toBe('in')
  expect(await outcome(user.email, '10.8.0.1', user.password, device)).toBe('in')
})

test('one network gets fifty guesses in 15 minutes, whosever accounts they are for', async () => {
  const from = '203.0.113.7'
  await outcomes(50, (n) => outcome(`guess${n}@example.com`, from))
  const user = await berth.makeUser()
  expect(await outcome(user.email, from, user.password)).toBe('rate-limited')
  expect(await outcome(user.email, '203.0.113.8', user.password)).toBe('in')
})

test('addresses of one IPv6 line are one network', async () => {
  const same = ['2001:db8:1:2::1', '2001:db8:1:2:ffff:1:2:3', '2001:0db8:0001:0002:0:0:0:9']
  expect(new Set(same.map(networkOf))).toEqual(new Set(['2001:db8:1:2::/64']))
  expect(networkOf('2001:db8:1:3::1')).not.toBe(networkOf('2001:db8:1:2::1'))
  expect([networkOf('::1'), networkOf('::ffff:192.0.2.1'), networkOf('192.0.2.1')]).toEqual([
    '0:0:0:0::/64',
    '192.0.2.1',
    '192.0.2.1',
  ])
  const { email } = await berth.makeUser()
  const seen = await outcomes(6, (n) => outcome(email, `2001:db8:9:9::${n}`))
  expect(seen).toEqual([...wrong(5), 'rate-limited'])
})

test('the right password forgets earlier mistakes', async () => {
  const { email, password } = await berth.makeUser()
  for (let round = 0; round < 3; round++) {
    expect(await outcomes(4, () => outcome(email, '198.18.0.1'))).toEqual(wrong(4))
    expect(await outcome(email, '198.18.0.1', password)).toBe('in')
  }
})

test('a known and an unknown address get the same answer, and it takes as long', async () => {
  const times = { known: [] as number[], unknown: [] as number[] }
  const answers = new Set<string>()
  for (let n = 0; n < 12; n++) {
    const { email } = await berth.makeUser()
    for (const [who, address] of [
      ['known', email],
      ['unknown', `nobody${n}@example.com`],
    ] as const) {
      const start = performance.now()
      const error = await attempt(address, `10.${who === 'known' ? 3 : 4}.${n}.1`, 'wrong').catch((e) => e)
      times[who].push(performance.now() - start)
      answers.add(`${error.code} ${error.message}`)
    }
  }
  expect([...answers]).toEqual(['unauthenticated The e-mail address or the password is not right.'])
  const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length / 2] ?? 0
  const ratio = median(times.known) / median(times.unknown)
  // Without the same work for both, one would take a tenth of the other.
  expect(ratio).toBeGreaterThan(0.5)
  expect(ratio).toBeLessThan(2)
})
