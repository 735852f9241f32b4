import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { createApp, getApp, updateApp } from '../../platform/apps.ts'
import { createBuild } from '../../platform/builds/create-build.ts'
import { createDeployment } from '../../platform/deployments.ts'
import { discardChanges } from '../../platform/discard-changes.ts'
import type { App, Project } from '../../platform/model/resources.ts'
import { pendingChanges } from '../../platform/pending-changes.ts'
import { putProcess, removeProcess } from '../../platform/processes.ts'
import type { VariableOwner } from '../../platform/variable-owner.ts'
import { listVariableVersions } from '../../platform/variable-versions.ts'
import { listVariables, setVariables } from '../../platform/variables.ts'
import { makeTar } from '../support/images.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let teamId: string
let project: Project
let app: App

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  teamId = (await berth.makeTeam('Acme')).id
})
afterAll(() => berth?.close())
beforeEach(async () => {
  project = await berth.makeProject(teamId)
  app = await createApp(berth.platform, operator, project.id, {
    ...{ name: 'web', slug: 'web' },
    settings: { image: 'registry.example/app:1' },
  })
})

const set = (owner: VariableOwner, given: Record<string, string>, isSecret = false) =>
  setVariables(berth.platform, operator, owner, {
    set: Object.entries(given).map(([name, value]) => ({ name, value, isSecret })),
  })
const own = () => ({ appId: app.id })
const shared = () => ({ environmentId: app.environmentId })
const ref = (text: string) => '$'.concat(`{{${text}}}`)
const pending = async () => (await pendingChanges(berth.platform, operator, app.id)).changes
const fields = async () => (await pending()).map(({ field }) => field)
const discard = (...names: string[]) =>
  discardChanges(berth.platform, operator, app.id, names.length === 0 ? {} : { fields: names })
const change = (settings: object) => updateApp(berth.platform, operator, app.id, { settings })

/** As the worker leaves it. */
async function deployed(): Promise<void> {
  const { id } = await createDeployment(berth.platform, operator, app.id, {})
  await berth.platform.db.deployment.update({ where: { id }, data: { status: 'live', liveAt: new Date() } })
  await berth.platform.db.app.update({ where: { id: app.id }, data: { liveDeploymentId: id } })
}

test('nothing waits before anything is live, nor after a deployment of it all', async () => {
  await change({ port: 81 })
  expect(await pendingChanges(berth.platform, operator, app.id)).toMatchObject({ live: null, changes: [] })
  await set(own(), { KEY: 'one' })
  await deployed()
  expect(await pending()).toEqual([])
})

test('a first build that did not get live changes nothing that waits; how it is to be built does', async () => {
  await deployed()
  const archive = await makeTar([{ name: 'Dockerfile', content: 'FROM scratch' }])
  const upload = (more: { dockerfile?: string } = {}) =>
    createBuild(berth.platform, operator, app.id, {
      ...{ format: 'tar' as const, body: new Blob([new Uint8Array(archive)]).stream(), ...more },
    })
  const { id } = await upload()
  await berth.platform.db.deployment.update({ where: { id }, data: { status: 'failed' } })
  expect((await getApp(berth.platform, operator, app.id)).settings.build).not.toBeNull()
  expect(await pending()).toEqual([])
  await upload({ dockerfile: 'web.Dockerfile' })
  expect(await pending()).toMatchObject([
    { field: 'settings.build.dockerfile', change: 'added', before: null, after: 'web.Dockerfile' },
  ])
})

test('settings, processes and variables that changed are told from what is live, with who and when', async () => {
  await putProcess(berth.platform, operator, app.id, 'clock', { command: ['tick'] })
  await set(own(), { KEY: 'one', GONE: 'x' })
  await set(own(), { TOKEN: 'hush-1' }, true)
  await deployed()
  await change({ port: 81, keptDeployments: 3, healthCheck: { path: '/health' } })
  await putProcess(berth.platform, operator, app.id, 'worker', { command: ['work'], replicas: 2 })
  await removeProcess(berth.platform, operator, app.id, 'clock')
  await set(own(), { KEY: 'two', NEW: 'n' })
  await set(own(), { TOKEN: 'hush-2' }, true)
  await setVariables(berth.platform, operator, own(), { remove: ['GONE'] })
  const found = await pending()
  expect(found).toMatchObject([
    { field: 'settings.healthCheck.path', change: 'added', before: null, after: '/health' },
    { field: 'settings.port', change: 'added', after: 81, by: expect.any(String), at: expect.any(String) },
    { field: 'settings.processes.clock', change: 'removed', after: null },
    { field: 'settings.processes.worker', change: 'added', after: { command: ['work'], replicas: 2 } },
    { field: 'variables.GONE', change: 'removed', before: 'x' },
    { field: 'variables.KEY', change: 'changed', before: 'one', after: 'two', by: expect.any(String) },
    { field: 'variables.NEW', change: 'added', after: 'n' },
    { field: 'variables.TOKEN', change: 'changed', isSecret: true, before: null, after: null },
  ])
  expect(JSON.stringify(found)).not.toContain('hush')

  // Who may not read variables sees which of them wait, and of none what is in it.
  const { viewer } = await berth.makeUser({ teamId, role: 'viewer' })
  const { changes } = await pendingChanges(berth.platform, viewer, app.id)
  expect(changes.map(({ field }) => field)).toEqual(found.map(({ field }) => field))
  for (const { field, isSecret, before, after } of changes)
    if (field.startsWith('variables.')) expect([isSecret, before, after]).toEqual([true, null, null])
})

test('one change is put back, or all: as another change, with references as they were written', async () => {
  await set(shared(), { REGION: 'eu' })
  await set(own(), { BUCKET: `${ref('REGION')}-files`, TOKEN: 'hush' }, true)
  await putProcess(berth.platform, operator, app.id, 'worker', { command: ['work'] })
  await deployed()
  await set(own(), { BUCKET: 'elsewhere', TOKEN: 'other', NEW: 'n' })
  await change({ port: 81, replicas: 3 })
  await removeProcess(berth.platform, operator, app.id, 'worker')
  const left = await discard('settings.port', 'variables.NEW')
  expect(left.changes.map(({ field }) => field)).toEqual([
    'settings.processes.worker',
    'settings.replicas',
    'variables.BUCKET',
    'variables.TOKEN',
  ])
  expect((await discard()).changes).toEqual([])
  expect(await getApp(berth.platform, operator, app.id)).toMatchObject({
    settings: { port: null, replicas: 1, processes: { worker: { command: ['work'] } } },
  })
  // What was written, not what it meant then.
  await set(shared(), { REGION: 'us' })
  expect(await pending()).toMatchObject([
    { field: 'variables.BUCKET', source: 'reference', isSecret: true },
    { field: 'variables.REGION', source: 'shared' },
  ])
  expect((await listVariables(berth.platform, operator, own())).map(({ name }) => name)).toEqual([
    'BUCKET',
    'TOKEN',
  ])
  const versions = await listVariableVersions(berth.platform, operator, own())
  expect(versions.data[0]?.changes.map(({ name }) => name)).toEqual(['BUCKET', 'TOKEN'])
})

test('a process that was added is put back by being gone, and one that changed by being as it was', async () => {
  await putProcess(berth.platform, operator, app.id, 'clock', { command: ['tick'] })
  await deployed()
  await putProcess(berth.platform, operator, app.id, 'worker', { command: ['work'] })
  await putProcess(berth.platform, operator, app.id, 'clock', { command: ['tock'], stopGraceMs: 500 })
  const left = await discard('settings.processes.worker')
  expect(left.changes.map(({ field }) => field)).toEqual([
    'settings.processes.clock.command',
    'settings.processes.clock.stopGraceMs',
  ])
  const { settings } = await getApp(berth.platform, operator, app.id)
  expect(Object.keys(settings.processes)).toEqual(['clock'])
  expect((await discard('settings.processes.clock.command')).changes).toMatchObject([
    { field: 'settings.processes.clock.stopGraceMs', after: 500 },
  ])
  await discard()
  const { settings: put } = await getApp(berth.platform, operator, app.id)
  expect(put.processes).toMatchObject({ clock: { command: ['tick'], stopGraceMs: null } })
})

test('a shared variable and a reference that changed wait too, and are put back where they were changed', async () => {
  await set(shared(), { REGION: 'eu', OTHER: 'o' })
  await set(own(), { URL: `https://${ref('REGION')}.example` })
  await deployed()
  await set(shared(), { REGION: 'us' })
  expect(await pending()).toMatchObject([
    { field: 'variables.REGION', source: 'shared', before: 'eu', after: 'us', by: expect.any(String) },
    { field: 'variables.URL', source: 'reference', after: 'https://us.example', canDiscard: false },
  ])
  await expect(discard('variables.REGION')).rejects.toMatchObject({
    code: 'conflict',
    fields: [{ path: 'fields.0', message: expect.stringMatching(/shared by the apps/) }],
  })
  await expect(discard('port')).rejects.toMatchObject({ code: 'invalid' })
  // An own one covers the shared one.
  await set(own(), { OTHER: 'mine' })
  expect(await fields()).toContain('variables.OTHER')
  await discard('variables.OTHER')
  expect(await fields()).toEqual(['variables.REGION', 'variables.URL'])
})

test('names that no process may have, too many, and none to run are refused at their fields', async () => {
  const put = (name: string, settings: object = { command: ['work'] }) =>
    putProcess(berth.platform, operator, app.id, name, settings)
  for (const name of ['web', 'Worker', '1st', 'a'.repeat(32), 'a_b', ''])
    await expect(put(name)).rejects.toMatchObject({ code: 'invalid', fields: [{ path: 'name' }] })
  await expect(put('web')).rejects.toThrow('web is the process that answers requests')
  await expect(put('worker', {})).rejects.toMatchObject({ fields: [{ path: 'command' }] })
  await expect(put('worker', { command: ['x'], replicas: 21 })).rejects.toMatchObject({
    fields: [{ path: 'replicas', message: 'must be 0–20' }],
  })
  await expect(change({ processes: { web: { command: ['x'] } } })).rejects.toThrow('web is the process')
  for (let number = 0; number < 10; number++) await put(`p${number}`)
  await expect(put('p10')).rejects.toMatchObject({ fields: [{ path: 'name' }] })
  await put('p9', { command: ['again'], replicas: 0 })
  await expect(removeProcess(berth.platform, operator, app.id, 'none')).rejects.toMatchObject({
    code: 'not-found',
  })
})
