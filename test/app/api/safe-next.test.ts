import { expect, test } from 'vitest'
import { safeNext } from '../../../app/_server/safe-next.ts'

test.each([
  ['/', '/'],
  ['/acme/shop?tab=logs#end', '/acme/shop?tab=logs#end'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['/.//evil.example', '/'],
  ['/x/..//evil.example', '/'],
  ['https://evil.example/', '/'],
  ['javascript:alert(1)', '/'],
  ['', '/'],
  [null, '/'],
])('after signing in, %j leads to %j', (next, path) => {
  expect(safeNext(next)).toBe(path)
})
