import { expect, test } from 'vitest'
import { type Processor, parseProcessors, partOf } from '../../../engine/sys/processors.ts'

/** @param threads of each core; they are numbered as Linux does it: the first ones of all cores, then the second ones. */
function host(count: number, { threads = 1, domains = 1 } = {}): Processor[] {
  const cores = count / threads
  return Array.from({ length: count }, (_, number) => ({
    number,
    core: String(number % cores),
    domain: String(Math.floor(((number % cores) * domains) / cores)),
  }))
}

test('a part is small enough for the kernel to look for an idle processor all the same', () => {
  expect(partOf(host(1))).toBe(null)
  expect(partOf(host(2))).toBe('1')
  expect(partOf(host(4))).toBe('2,3')
  expect(partOf(host(8))).toBe('3,4,5,6,7')
  // n (1 - (117/100 x)²), where a tenth of all is used by others.
  for (let count = 2; count <= 128; count++) {
    const busy = parseProcessors(partOf(host(count)) ?? '').length / count + 0.1
    expect(count * (1 - (1.17 * busy) ** 2)).toBeGreaterThanOrEqual(1)
  }
})

test('a part is of every domain, and has whole cores of it', () => {
  expect(partOf(host(8, { domains: 2 }))).toBe('2,3,6,7')
  expect(partOf(host(8, { threads: 2, domains: 2 }))).toBe('1,3,5,7')
  // Each looks at itself alone, so that nothing is won.
  expect(partOf(host(4, { domains: 4 }))).toBe(null)
  expect(partOf([])).toBe(null)
})

test('a list of processors is read as the kernel writes it', () => {
  expect(parseProcessors('0-2,5,7-8\n')).toEqual([0, 1, 2, 5, 7, 8])
  expect(parseProcessors('\n')).toEqual([])
})
