import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createApp } from '../../platform/apps.ts'
import { listAudit } from '../../platform/audit-log.ts'
import type { CreateAppInput } from '../../platform/model/inputs.ts'
import { maxVolumes } from '../../platform/model/volumes.ts'
import { changeQuota } from '../../platform/team-use.ts'
import { listVolumes } from '../../platform/volumes.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { dataVolume } from '../support/volumes.ts'

let berth: TestPlatform
let teamId: string
let projectId: string

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  teamId = (await berth.makeTeam('Acme')).id
  projectId = (await berth.makeProject(teamId)).id
})
afterAll(() => berth?.close())

const make = (volumes: CreateAppInput['volumes'], more: Partial<CreateAppInput> = {}) =>
  createApp(berth.platform, operator, projectId, {
    ...{ name: 'db', settings: { image: 'registry.example/db:1' }, volumes },
    ...more,
  })

test('an app is made with its volumes, which its host is told of, and a mistake in one makes nothing', async () => {
  const wrong: [CreateAppInput['volumes'], Partial<CreateAppInput>, string][] = [
    [[dataVolume, { ...dataVolume, mountPath: '/other' }], {}, 'volumes.1.name'],
    [[dataVolume, { ...dataVolume, name: 'more', mountPath: '/data/more' }], {}, 'volumes.1.mountPath'],
    [[{ ...dataVolume, mountPath: 'data' }], {}, 'volumes.0.mountPath'],
    [[{ ...dataVolume, sizeBytes: 1 }], {}, 'volumes.0.sizeBytes'],
    [[dataVolume], { settings: { image: 'a:1', replicas: 2 } }, 'settings.replicas'],
    [
      [dataVolume],
      { variables: [{ name: 'KEY', value: 'x', filePath: '/data/key' }] },
      'volumes.0.mountPath',
    ],
    [Array.from({ length: maxVolumes + 1 }, (_, at) => ({ ...dataVolume, name: `v${at}` })), {}, 'volumes'],
  ]
  for (const [volumes, more, path] of wrong)
    await expect(make(volumes, more)).rejects.toMatchObject({ code: 'invalid', fields: [{ path }] })
  expect(await berth.platform.db.app.count()).toBe(0)

  const app = await make([dataVolume, { ...dataVolume, name: 'logs', mountPath: '/logs' }])
  expect(app.stopsFirst).toBe(true)
  const volumes = await listVolumes(berth.platform, operator, app.id)
  expect(volumes).toMatchObject([dataVolume, { name: 'logs', isMade: false }])
  const { data } = await listAudit(berth.platform, operator, { teamId })
  expect(data.map(({ action }) => action)).toEqual(expect.arrayContaining(['app.create', 'volume.create']))
})

test('they count against what the team may have', async () => {
  await changeQuota(berth.platform, operator, teamId, { diskBytes: 3 * dataVolume.sizeBytes })
  await expect(make([dataVolume, { ...dataVolume, name: 'more', mountPath: '/more' }])).rejects.toMatchObject(
    { code: 'quota-exceeded' },
  )
  expect(await berth.platform.db.app.count()).toBe(1)
})
