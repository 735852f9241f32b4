import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { BuildWait } from '../../platform/model/builds.ts'
import { buildLimits } from '../../worker/builds/limits.ts'
import { createBuildTurns } from '../../worker/builds/turns.ts'
import { until } from '../support/until.ts'

interface Options {
  places?: number
  hasRoom?: () => boolean
  teamPlaces?: number
}

function start({ places = 1, hasRoom = () => true, teamPlaces = 100 }: Options = {}) {
  const turns = createBuildTurns({ places, hasRoom })
  const begun: string[] = []
  const told = new Map<string, BuildWait>()
  const ends = new Map<string, () => void>()
  const running = new Map<string, number>()
  function ask(teamId: string, id: string, signal = new AbortController().signal): Promise<void> {
    return turns.run(
      {
        ...{ id, teamId, signal },
        takePlace: async () => (running.get(teamId) ?? 0) < teamPlaces,
        onWait: (wait) => told.set(id, wait),
      },
      async () => {
        begun.push(id)
        running.set(teamId, (running.get(teamId) ?? 0) + 1)
        await new Promise<void>((resolve) => ends.set(id, resolve))
        running.set(teamId, (running.get(teamId) ?? 0) - 1)
      },
    )
  }
  return { ask, begun, told, end: (id: string) => ends.get(id)?.() }
}

const reaches = (begun: string[], count: number) => until(`${count} began`, () => begun.length === count)

test('a team that asks for many does not hold up one that asks for one', async () => {
  const { ask, begun, told, end } = start()
  const all = [ask('a', 'a1'), ask('a', 'a2'), ask('a', 'a3')]
  await reaches(begun, 1)
  all.push(ask('b', 'b1'))
  await until('b knows that it is next', () => told.get('b1')?.before === 0)
  await until('the others know how many begin before them', () => told.get('a3')?.before === 2)
  expect(told.get('a2')).toEqual({ reason: 'host', before: 1 })
  for (const [at, id] of ['a1', 'b1', 'a2', 'a3'].entries()) {
    await reaches(begun, at + 1)
    end(id)
  }
  await Promise.all(all)
  expect(begun).toEqual(['a1', 'b1', 'a2', 'a3'])
})

test('a team without a place of its own is passed by, and another begins only where there is memory', async () => {
  let room = true
  const { ask, begun, told, end } = start({ places: 4, teamPlaces: 1, hasRoom: () => room })
  const all = [ask('a', 'a1'), ask('a', 'a2'), ask('b', 'b1')]
  await reaches(begun, 2)
  expect(begun).toEqual(['a1', 'b1'])
  await until('a2 knows why', () => told.get('a2')?.reason === 'team')
  room = false
  all.push(ask('c', 'c1'))
  await until('c1 knows why', () => told.get('c1')?.reason === 'memory')
  end('a1')
  end('b1')
  // None is under way any more: one begins however little memory there is.
  await reaches(begun, 3)
  room = true
  await reaches(begun, 4)
  end('a2')
  end('c1')
  await Promise.all(all)
})

test('a team that has one under way comes after one that has none, though that one had its turn later', async () => {
  const { ask, begun, told, end } = start({ places: 2 })
  const all = [ask('a', 'a1'), ask('b', 'b1')]
  await reaches(begun, 2)
  all.push(ask('a', 'a2'), ask('b', 'b2'))
  await until('both wait', () => told.has('a2') && told.has('b2'))
  end('b1')
  await reaches(begun, 3)
  expect(begun).toEqual(['a1', 'b1', 'b2'])
  for (const id of ['a1', 'b2']) end(id)
  await reaches(begun, 4)
  end('a2')
  await Promise.all(all)
})

test('one that is called off while it waits is gone, and its place is not lost', async () => {
  const { ask, begun, end } = start()
  const first = ask('a', 'a1')
  await reaches(begun, 1)
  const stop = new AbortController()
  const waiting = expect(ask('a', 'a2', stop.signal)).rejects.toThrow('off')
  const last = ask('a', 'a3')
  stop.abort(new Error('off'))
  await waiting
  end('a1')
  await first
  await reaches(begun, 2)
  expect(begun).toEqual(['a1', 'a3'])
  end('a3')
  await last
})

test('builds have the limits that the documentation names', () => {
  const { diskBytes, timeMs, ...limits } = buildLimits()
  expect(readFileSync(new URL('../../docs/builds.md', import.meta.url), 'utf8')).toContain(
    `limits for memory, processors, processes, disk (${diskBytes / 2 ** 30} GiB) and time (${timeMs / 60_000} minutes)`,
  )
  for (const limit of Object.values(limits)) expect(limit).toSatisfy(Number.isSafeInteger)
})
