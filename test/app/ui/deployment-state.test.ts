import { expect, test } from 'vitest'
import {
  afterEvent,
  type DeploymentState,
} from '../../../app/(dashboard)/[team]/[project]/[app]/deployment-state.ts'
import type { DeploymentStep } from '../../../platform/model/deployment-step.ts'
import type { DeploymentEvent } from '../../../platform/model/events.ts'

const begin: DeploymentState = {
  status: 'queued',
  failure: null,
  steps: [],
  layers: [],
  message: null,
  waiting: null,
}

function step(part: Partial<DeploymentStep>): DeploymentEvent {
  const at = '2026-01-01T00:00:00.000Z'
  return {
    type: 'step',
    step: {
      name: 'pull',
      status: 'running',
      startedAt: at,
      finishedAt: null,
      detail: null,
      facts: {},
      ...part,
    },
  }
}

const finished = '2026-01-01T00:00:02.000Z'

test('a stream that tells old things again takes nothing back', () => {
  const events: DeploymentEvent[] = [
    { type: 'status', status: 'pulling', failure: null },
    step({}),
    step({ status: 'done', finishedAt: finished }),
    { type: 'status', status: 'starting', failure: null },
    step({ name: 'start', startedAt: finished }),
  ]
  const once = events.reduce(afterEvent, begin)
  expect(once.status).toBe('starting')
  expect(once.steps.map(({ name, status }) => [name, status])).toEqual([
    ['pull', 'done'],
    ['start', 'running'],
  ])
  expect(events.reduce(afterEvent, once)).toEqual(once)
})

test('a step that runs again, after its worker was killed, is shown as running', () => {
  const state = [step({ status: 'done', finishedAt: finished }), step({ startedAt: finished })].reduce(
    afterEvent,
    begin,
  )
  expect(state.steps).toMatchObject([{ status: 'running', startedAt: finished }])
})
