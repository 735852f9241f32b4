import { expect, test } from 'vitest'
import { retryAfterMs } from '../../platform/retry-after.ts'

test.each([
  ['seconds', '120', 120_000],
  ['spaces around them', ' 5 ', 5_000],
  ['none at all', '', null],
  ['less than none', '-5', null],
  ['words', 'later', null],
  ['more than anybody waits', '9'.repeat(12), null],
])('%s', (_, text, wait) => {
  expect(retryAfterMs({ 'retry-after': text })).toBe(wait)
})

test('a date, which may be over already; nothing', () => {
  const wait = retryAfterMs({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() })
  expect(wait).toBeGreaterThan(55_000)
  expect(wait).toBeLessThanOrEqual(60_000)
  expect(retryAfterMs({ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' })).toBe(0)
  expect(retryAfterMs({})).toBeNull()
})
