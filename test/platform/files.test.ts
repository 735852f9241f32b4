import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { listFiles } from '../../platform/files.ts'
import { newId } from '../../platform/model/ids.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
})
afterAll(() => berth?.close())

test('files on another host are said to be there, and a worker that is away is said to be that', async () => {
  const { platform, config, makeTeam, makeApp } = berth
  const other = newId('host')
  await platform.db.host.create({ data: { id: other, name: other } })
  const { id: teamId } = await makeTeam()
  const app = await makeApp(teamId)
  const make = (hostId: string) =>
    platform.db.volume.create({
      data: {
        ...{ id: newId('volume'), hostId, name: `of ${hostId}`, sizeBytes: 2 ** 20, isMade: true },
        ...{ teamId, projectId: app.projectId, appId: app.id, appName: app.name, mountPath: '/data' },
      },
    })
  const [near, far] = [await make(config.hostId), await make(other)]
  const list = (volumeId: string) => listFiles(platform, operator, { volumeId }, { path: '/' })
  await expect(list(far.id)).rejects.toMatchObject({ code: 'unavailable', message: /on another host/ })
  await expect(list(near.id)).rejects.toMatchObject({ code: 'unavailable', message: /does not answer/ })
})
