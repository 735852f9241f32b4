import { expect, test } from 'vitest'
import { createStepReader, stepOf } from '../../platform/model/build-steps.ts'
import type { BuildLine } from '../../platform/model/builds.ts'

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString()
const line = (seconds: number, text: string, stream: BuildLine['stream'] = 'stdout'): BuildLine => ({
  ...{ at: at(seconds), stream, text },
})

test('a log becomes steps with their lines and times, and those that came out of the cache are told', () => {
  const reader = createStepReader()
  const lines = [
    line(0, 'Unpacking the source', 'info'),
    line(1, 'Building the image', 'info'),
    line(2, 'STEP 1/3: FROM node:24 AS build'),
    line(3, 'STEP 2/3: RUN npm ci'),
    line(3, '--> Using cache 0123'),
    line(4, 'STEP 3/3: RUN npm test', 'stderr'),
    line(6, 'ok'),
    line(9, "Pushing the image to the team's repository", 'info'),
    line(10, 'done'),
  ]
  for (const each of lines) reader.add(each)
  expect(reader.steps.map(({ instruction, from, to }) => [instruction, from, to])).toEqual([
    [null, 0, 2],
    ['FROM node:24 AS build', 2, 3],
    ['RUN npm ci', 3, 5],
    ['RUN npm test', 5, 7],
    [null, 7, 9],
  ])
  expect(reader.steps.map(({ isCached }) => isCached)).toEqual([false, false, true, false, false])
  expect(reader.steps[3]).toMatchObject({ place: '3/3', startedAt: at(4), finishedAt: at(9) })
  expect(reader.steps.at(-1)?.finishedAt).toBeNull()
})

test('with several stages both are said; what only looks like a step is none', () => {
  expect(stepOf('[2/2] STEP 1/4: FROM debian')).toEqual({ place: '2/2 · 1/4', instruction: 'FROM debian' })
  expect(stepOf('see STEP 1/4: FROM debian')).toBeNull()
  const reader = createStepReader()
  reader.add(line(0, 'STEP 1/1: RUN false', 'info'))
  expect(reader.steps[0]?.instruction).toBeNull()
})
