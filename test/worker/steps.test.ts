import { expect, test } from 'vitest'
import { createLogger } from '../../platform/log.ts'
import type { StepName } from '../../platform/model/deployment-step.ts'
import { createSteps, type Steps } from '../../worker/steps.ts'

function recordedSteps(): { steps: Steps; seen: string[] } {
  const seen: string[] = []
  const steps = createSteps({
    log: createLogger({ level: 'error', part: 'test' }),
    outcomeOf: (error) =>
      String(error) === 'Error: stopping' ? null : { status: 'failed', detail: String(error) },
    record: {
      start: async (name) => void seen.push(`start ${name}`),
      finish: async (name, { status, detail }) =>
        void seen.push(`${status} ${name}${detail ? `: ${detail}` : ''}`),
    },
  })
  return { steps, seen }
}

test('steps that were begun are undone in reverse, the one that failed first, whatever an undo throws', async () => {
  const { steps, seen } = recordedSteps()
  const undoing = (name: StepName, fails = false) => ({
    undo: async () => {
      seen.push(`undo ${name}`)
      if (fails) throw new Error('no way back')
    },
  })
  expect(await steps.step('pull', async () => 7, undoing('pull'))).toBe(7)
  await steps.step('start', async (say) => say('2 containers'), undoing('start', true))
  const failing = steps.step('check', async () => Promise.reject(new Error('sick')), undoing('check'))
  await expect(failing).rejects.toThrow('sick')
  await steps.undo()
  await steps.undo()
  expect(seen).toEqual([
    'start pull',
    'done pull',
    'start start',
    'done start: 2 containers',
    'start check',
    'failed check: Error: sick',
    'undo check',
    'undo start',
    'undo pull',
  ])
})

test('a step that a stopping worker leaves stays as running, for the next worker to begin again', async () => {
  const { steps, seen } = recordedSteps()
  await expect(steps.step('pull', async () => Promise.reject(new Error('stopping')))).rejects.toThrow()
  expect(seen).toEqual(['start pull'])
})
