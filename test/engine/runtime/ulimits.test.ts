import { expect, test } from 'vitest'
import { rlimitsOf } from '../../../engine/runtime/ulimits.ts'

const own = (openFiles: string) => `Limit                     Soft Limit           Hard Limit           Units
Max core file size        unlimited            unlimited            bytes
Max open files            1024                 ${openFiles}              files
`

const limit = (type: string, value: number) => ({ type, hard: value, soft: value })

test('unless something else is asked for, 65,536 files may be open and no core is dumped', () => {
  expect(rlimitsOf({}, own('1048576'))).toEqual([limit('RLIMIT_NOFILE', 65_536), limit('RLIMIT_CORE', 0)])
})

test('what is asked for counts, but none is above our own', () => {
  const asked = { openFiles: 99, coreBytes: 512 }
  expect(rlimitsOf(asked, own('1048576'))).toEqual([limit('RLIMIT_NOFILE', 99), limit('RLIMIT_CORE', 512)])
  expect(rlimitsOf({ openFiles: 2_000_000 }, own('20000'))).toContainEqual(limit('RLIMIT_NOFILE', 20_000))
})
