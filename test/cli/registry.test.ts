import { expect, test } from 'vitest'
import { describeCollection } from '../../cli/commands/registry.ts'

const done = {
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:01:00.000Z',
  freedBytes: 12_345_678,
  blobCount: 3,
  uploadCount: 1,
  storedBytes: 50_000_000,
  heldBack: 0,
  problem: null,
}

test('a collection is told as it went: not yet, under way, done, held back, failed', () => {
  expect(describeCollection(null)).toMatch(/^Nothing was collected yet/)
  expect(describeCollection({ ...done, finishedAt: null })).toContain(`under way since ${done.startedAt}`)
  expect(describeCollection(done).split('\n')).toEqual([
    `Collected at ${done.finishedAt}: 12.3 MB freed, 3 files of images and 1 broken uploads.`,
    "All teams' images take 50 MB on disk.",
  ])
  expect(describeCollection({ ...done, heldBack: 2 })).toContain('2 repositories may be pushed to still')
  expect(describeCollection({ ...done, problem: 'the disk is gone' })).toMatch(
    /did not come to its end: the disk is gone$/,
  )
})
