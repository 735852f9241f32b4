/** What `berth engine` shows and how it reads what is typed, without an engine. */
import { expect, test } from 'vitest'
import { fits, readFilters } from '../../cli/engine/image-list.ts'
import { type Line, summary } from '../../cli/engine/layer-display.ts'
import { age, bytes, table } from '../../cli/engine/table.ts'

test('sizes, ages and tables read well', () => {
  expect([0, 999, 1_000, 1_100_000, 198_000_000, 999_600_000].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1 kB',
    '1.1 MB',
    '198 MB',
    '1 GB',
  ])
  const now = Date.parse('2026-01-31T00:00:00Z')
  expect(
    ['2026-01-30T23:59:59Z', '2026-01-30T23:00:00Z', '2026-01-10T00:00:00Z', '2020-01-01T00:00:00Z'].map(
      (at) => age(at, now),
    ),
  ).toEqual(['1 second', '1 hour', '3 weeks', '6 years'])
  expect(table(['A', 'B'], [['名字', 'x']])).toBe('A      B\n名字   x')
})

test.each([
  ['docker.io/library/nginx:1', 'nginx', true],
  ['docker.io/library/nginx:1', 'nginx:1', true],
  ['docker.io/library/nginx:1', 'nginx:2', false],
  ['docker.io/library/nginx:1', 'docker.io/library/nginx', true],
  ['docker.io/acme/shop:1', 'acme/*', true],
  ['docker.io/acme/shop:1', 'acme', false],
  ['docker.io/acme/shop:1', '*', false],
  ['localhost:7080/acme/shop:1', 'localhost:7080/*/shop', true],
  ['localhost:7080/acme/shop:1', 'localhost:7080/acme/sho.', false],
])('whether %s is listed for %s', (reference, pattern, isListed) => {
  expect(fits(reference, pattern)).toBe(isListed)
})

test('of filters all must hold, and of patterns one', () => {
  const row = {
    digest: 'sha256:1',
    references: ['docker.io/library/nginx:1'],
    sizeBytes: 1,
    createdAt: null,
    labels: { tier: 'web', empty: '' },
  }
  const holds = (...filters: string[]) => readFilters(filters)(row)
  expect(holds()).toBe(true)
  expect(holds('dangling=false', 'label=tier', 'label=tier=web', 'label=empty=')).toBe(true)
  expect(holds('dangling=true')).toBe(false)
  expect(holds('label=tier=db')).toBe(false)
  expect(holds('label=toString')).toBe(false)
  expect(holds('reference=redis', 'reference=nginx')).toBe(true)
  expect(holds('reference=redis')).toBe(false)
  for (const wrong of ['dangling=maybe', 'size=1', 'label=', 'x'])
    expect(() => readFilters([wrong])).toThrow('It must be')
})

test('the sum of a transfer says how much of how much, how fast, and how long it took', () => {
  let now = 0
  const sum = summary(() => now)
  const line = (state: Line['state'], doneBytes = 0): Line => ({
    digest: 'sha256:1',
    state,
    doneBytes,
    totalBytes: 100_000_000,
  })
  expect(sum([line('exists', 100_000_000)])).toEqual([])
  expect(sum([line('waiting'), line('downloading', 5_000_000)])).toEqual(['5 MB of 200 MB'])
  now = 2_000
  expect(sum([line('exists'), line('unpacking'), line('downloading', 20_000_000)])).toEqual([
    '120 MB of 200 MB, 60 MB/s',
  ])
  now = 4_500
  expect(sum([line('done'), line('done'), line('mounted')])).toEqual(['200 MB in 4.5 s'])
})
