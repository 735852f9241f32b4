import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createCronJob, deleteCronJob, listCronJobs, updateCronJob } from '../../platform/cron-jobs.ts'
import { nextTime } from '../../platform/model/cron.ts'
import type { App } from '../../platform/model/resources.ts'
import { createRun, listRuns } from '../../platform/runs.ts'
import { takeDueCronJobs } from '../../platform/worker/runs.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let app: App

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  app = await berth.makeApp((await berth.makeTeam('Acme')).id)
})
afterAll(() => berth?.close())

const usual = { name: 'Nightly', schedule: '0 3 * * *', command: ['true'] }
const make = (given: object) => createCronJob(berth.platform, operator, app.id, { ...usual, ...given })

test.each([
  [{ schedule: '0 0 30 2 *' }, 'schedule', 'never comes, such as the 30th of February'],
  [{ schedule: '* * * * * *' }, 'schedule', /^must be five fields/],
  [{ schedule: '61 * * * *' }, 'schedule', /^must be five fields/],
  [{ schedule: '@reboot' }, 'schedule', /^must be five fields/],
  [{ schedule: '' }, 'schedule', /^must be five fields/],
  [{ timeZone: 'Mars/Olympus' }, 'timeZone', /^must be a time zone/],
  [{ command: [] }, 'command', 'must not be empty'],
  [{ name: ' ' }, 'name', 'must not be empty'],
  [{ timeoutMs: 10 }, 'timeoutMs', 'must be at least a second'],
])('%j is refused at its field', async (given, path, message) => {
  await expect(make(given)).rejects.toMatchObject({
    code: 'invalid',
    fields: [{ path, message: typeof message === 'string' ? message : expect.stringMatching(message) }],
  })
  expect(await listCronJobs(berth.platform, operator, app.id)).toEqual([])
})

test('times are of the time zone, also when its clocks change', () => {
  const at = (text: string) => new Date(text)
  const next = (schedule: string, after: string) =>
    nextTime(schedule, 'Europe/Berlin', at(after))?.toISOString()
  expect(next('30 2 * * *', '2027-03-26T12:00:00Z')).toBe('2027-03-27T01:30:00.000Z')
  // There is no half past two in the night of the 28th.
  expect(next('30 2 * * *', '2027-03-27T12:00:00Z')).toMatch(/^2027-03-28T0[01]:[03]0/)
  expect(next('30 2 * * *', '2027-03-28T12:00:00Z')).toBe('2027-03-29T00:30:00.000Z')
  // As crontab(5) has it: a day of the month or a day of the week, where both are said.
  expect(next('0 0 13 * 5', '2027-01-02T00:00:00Z')).toBe('2027-01-07T23:00:00.000Z')
  expect(next('0 0 13 * 5', '2027-01-08T00:00:00Z')).toBe('2027-01-12T23:00:00.000Z')
  expect(next('@daily', '2027-01-01T12:00:00Z')).toBe('2027-01-01T23:00:00.000Z')
})

test('a job has a name of its own, goes by its new schedule, and has no next time while it is off', async () => {
  const job = await make({})
  await expect(make({})).rejects.toMatchObject({ code: 'conflict', fields: [{ path: 'name' }] })
  const moved = await updateCronJob(berth.platform, operator, job.id, { schedule: '0 4 * * *' })
  expect(moved.nextAt).toMatch(/T04:00/)
  const off = await updateCronJob(berth.platform, operator, job.id, { isEnabled: false })
  expect(off.nextAt).toBeNull()
  await deleteCronJob(berth.platform, operator, job.id)
  expect(await listCronJobs(berth.platform, operator, app.id)).toEqual([])
})

test('an app that was never live runs nothing, one whose times were missed runs once or says so', async () => {
  const { platform, config } = berth
  await expect(createRun(platform, operator, app.id, { command: ['true'] })).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('never been live'),
  })
  const job = await make({ schedule: '* * * * *' })
  const dueSince = async (minutes: number) => {
    const nextAt = new Date(Date.now() - minutes * 60_000)
    await platform.db.cronJob.update({ where: { id: job.id }, data: { nextAt } })
    await Promise.all([takeDueCronJobs(platform, config.hostId), takeDueCronJobs(platform, config.hostId)])
    const { nextAt: later } = await platform.db.cronJob.findUniqueOrThrow({ where: { id: job.id } })
    expect(later?.getTime()).toBeGreaterThan(Date.now() - 1_000)
    return (await listRuns(platform, operator, app.id)).data.map(({ status, reason }) => [status, reason])
  }
  expect(await dueSince(1)).toEqual([])
  const deployment = await berth.platform.db.deployment.create({
    data: {
      ...{ id: 'dep_x', appId: app.id, number: 1, status: 'live', imageRef: app.settings.image },
      snapshot: { settings: app.settings, variablesVersion: 0, variables: [] },
    },
  })
  await platform.db.app.update({
    where: { id: app.id },
    data: { liveDeploymentId: deployment.id, desiredState: 'running' },
  })
  expect(await dueSince(30)).toEqual([['queued', null]])
  expect(await dueSince(90)).toEqual([
    ['skipped', 'missed'],
    ['queued', null],
  ])
})

test('what is due while the last run is not over is left out, runs beside it, or takes its place', async () => {
  const { platform, config } = berth
  await platform.db.cronJob.deleteMany()
  await platform.db.run.deleteMany()
  const job = await make({ schedule: '* * * * *' })
  const due = async (concurrency: 'forbid' | 'allow' | 'replace') => {
    await platform.db.cronJob.update({ where: { id: job.id }, data: { nextAt: new Date(), concurrency } })
    await takeDueCronJobs(platform, config.hostId)
    return (await listRuns(platform, operator, app.id)).data.map(({ status }) => status)
  }
  expect(await due('forbid')).toEqual(['queued'])
  expect(await due('forbid')).toEqual(['skipped', 'queued'])
  expect(await due('allow')).toEqual(['queued', 'skipped', 'queued'])
  expect(await due('replace')).toEqual(['queued', 'canceled', 'skipped', 'canceled'])
})

test('what runs counts towards the team’s memory', async () => {
  const { platform } = berth
  await platform.db.run.deleteMany()
  const { limits } = app.settings
  const most = BigInt(limits.memoryBytes) * 3n
  await platform.db.team.update({ where: { id: app.teamId }, data: { maxMemoryBytes: most } })
  const run = () => createRun(platform, operator, app.id, { command: ['true'] })
  await run()
  await run()
  await expect(run()).rejects.toMatchObject({ code: 'quota-exceeded' })
})
