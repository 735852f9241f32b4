/** How long events are kept, and what a reader is told who was away for longer. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEvents, type Events } from '../../../engine/containers/events.ts'
import type { Container } from '../../../engine/index.ts'
import { openState, type State } from '../../../engine/state/database.ts'
import { inTransaction } from '../../../engine/state/migrations.ts'
import { collect } from '../../support/engine.ts'

let folder: string
let state: State
let events: Events
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-events-'))
  state = openState(folder)
  events = createEvents(state)
})
afterAll(() => {
  state?.close()
  rmSync(folder, { recursive: true })
})

const container = { id: 'web', name: 'web' } as Container

test('the last ten thousand are kept; who was away for longer is told to list anew, and nobody misses one unawares', async () => {
  inTransaction(state.db, () => {
    for (let count = 0; count < 11_000; count++) events.record('health', container)
  })
  const until = new Date().toISOString()
  const after = async (cursor: string) => collect(events.subscribe({ after: cursor, until }))
  const all = await after('1000')
  expect(all.map(({ cursor }) => Number(cursor))).toEqual(
    Array.from({ length: 10_000 }, (_, index) => 1_001 + index),
  )
  expect(await after('10999')).toHaveLength(1)
  for (const tooOld of ['0', '1', '999'])
    expect(() => events.subscribe({ after: tooOld })).toThrow(
      expect.objectContaining({
        kind: 'not-found',
        message: expect.stringMatching(/list the containers anew/),
      }),
    )
  expect(await collect(events.subscribe({ since: '1999-01-01', until }))).toHaveLength(10_000)
})

test('one that comes while what was kept is read is told once, in its place', async () => {
  const last = Number(events.record('updated', container).cursor)
  const stop = new AbortController()
  const seen: number[] = []
  for await (const { cursor } of events.subscribe({ after: String(last - 2), signal: stop.signal })) {
    seen.push(Number(cursor))
    // In the table, and told to all who listen: the reader has both.
    if (seen.length === 1) events.publish(events.record('renamed', container))
    if (seen.length === 3) events.publish(events.record('removed', container))
    if (seen.length === 4) stop.abort()
  }
  expect(seen).toEqual([last - 1, last, last + 1, last + 2])
})
