/** When one is healthy, when not, and when nobody can tell yet. */
import { expect, test } from 'vitest'
import { nextHealth } from '../../../engine/containers/health.ts'
import type { Health } from '../../../engine/index.ts'

const first: Health = { status: 'starting', failures: 0, checks: [] }
const check = (isGood: boolean) => ({ at: '2026-01-31T08:00:00.000Z', isGood, output: '' })

/** What is said after each of these checks: `+` is good, `-` is not, `e` is not and within the start period. */
function said(checks: string, retries: number): string[] {
  let health = first
  return [...checks].map((each) => {
    health = nextHealth(health, check(each === '+'), retries, each === 'e')
    return `${health.status} ${health.failures}`
  })
}

test('so many failures in a row make it unhealthy, not one fewer, and one that is good forgives all', () => {
  expect(said('+--+---', 3)).toEqual([
    ...['healthy 0', 'healthy 1', 'healthy 2', 'healthy 0', 'healthy 1', 'healthy 2', 'unhealthy 3'],
  ])
  expect(said('--+', 2)).toEqual(['starting 1', 'unhealthy 2', 'healthy 0'])
  expect(said('-', 1)).toEqual(['unhealthy 1'])
})

test('failures of the start period are kept to be seen and do not count, until it was healthy once', () => {
  expect(said('eee--', 2)).toEqual([...Array(3).fill('starting 0'), 'starting 1', 'unhealthy 2'])
  expect(said('e+ee', 2)).toEqual(['starting 0', 'healthy 0', 'healthy 1', 'unhealthy 2'])
  const once = nextHealth(first, check(false), 2, true)
  expect(once.checks).toEqual([check(false)])
})

test('only the last checks are kept', () => {
  let health = first
  for (let count = 0; count < 9; count++)
    health = nextHealth(health, { ...check(true), output: String(count) }, 3, false)
  expect(health.checks.map(({ output }) => output)).toEqual(['4', '5', '6', '7', '8'])
})
