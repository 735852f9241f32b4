import { expect, test } from 'vitest'
import { quotaChange, usageTable } from '../../cli/commands/quota.ts'
import { changeQuotaSchema } from '../../platform/model/quotas.ts'

test('amounts as people type them become what the API takes; what is not given does not change', () => {
  const change = quotaChange({ apps: '20', memory: '0.5', cpus: '1.5', disk: 'none' })
  expect(change).toEqual({ apps: 20, memoryBytes: 2 ** 29, cpuMillis: 1_500, diskBytes: null })
  expect(changeQuotaSchema.safeParse(change).success).toBe(true)
  expect(quotaChange({})).toEqual({})
  for (const memory of ['8G', '', 'much'])
    expect(() => quotaChange({ memory })).toThrow('--memory must be a number, or none for no limit.')
})

test('what is used and allowed is shown in the same units', () => {
  const used = {
    apps: 3,
    memoryBytes: 2 ** 29,
    cpuMillis: 750,
    diskBytes: 0,
    logBytes: 2 ** 28,
    builds: 0,
    ports: 2,
  }
  const limits = {
    apps: 20,
    memoryBytes: 2 ** 33,
    cpuMillis: null,
    diskBytes: null,
    logBytes: 2 ** 30,
    builds: 2,
    ports: null,
  }
  expect(
    usageTable({ used, limits })
      .split('\n')
      .map((line) => line.split(/ {3,}/)),
  ).toEqual([
    ['WHAT', 'USED', 'LIMIT'],
    ['apps', '3', '20'],
    ['memory (GiB)', '0.5', '8'],
    ['processors', '0.75', 'none'],
    ['disk (GiB)', '0', 'none'],
    ['logs (GiB)', '0.25', '1'],
    ['builds at once', '0', '2'],
    ['ports', '2', 'none'],
  ])
})
