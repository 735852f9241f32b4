import { expect, test } from 'vitest'
import {
  formFromProcess,
  processFromForm,
} from '../../../app/(dashboard)/[team]/[project]/[app]/process-form.ts'
import { type ProcessSettings, processSchema } from '../../../platform/model/app-settings.ts'

/** As a browser sends what the form shows. */
function sent(own?: ProcessSettings, typed: Record<string, string> = {}): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries({ ...formFromProcess(own), ...typed })) data.set(name, value)
  return data
}

test('a new process is what the platform takes by itself', () => {
  const made = processSchema.parse(processFromForm(sent(undefined, { command: 'work --all' })))
  expect(made).toEqual(processSchema.parse({ command: ['/bin/sh', '-c', 'work --all'] }))
})

test('what is there comes back as it was, with what the form does not show', () => {
  const own = processSchema.parse({
    ...{ command: ['--queue', 'mail'], entrypoint: ['/bin/work'], replicas: 3, stopGraceMs: 2_500 },
    limits: { memoryBytes: 100 * 2 ** 20, cpuMillis: 250, pids: 20 },
    healthCheck: { command: ['/bin/sh', '-c', 'test -e /tmp/up'], intervalMs: 750, retries: 0 },
  })
  expect(processSchema.parse(processFromForm(sent(own), own))).toEqual(own)
})

test('one that is begun by its entrypoint alone keeps that, and a field that is no number is refused there', () => {
  const own = processSchema.parse({ entrypoint: ['/bin/clock'] })
  expect(formFromProcess(own).command).toBe('')
  expect(processSchema.parse(processFromForm(sent(own), own))).toEqual(own)
  const wrong = processSchema.safeParse(
    processFromForm(sent(own, { healthTimeout: 'soon', stopGrace: 'x' }), own),
  )
  expect(wrong.error?.issues.map(({ path }) => path.join('.')).sort()).toEqual([
    'healthCheck.timeoutMs',
    'stopGraceMs',
  ])
})
