import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import type { Viewer } from '../../platform/access.ts'
import { createApp } from '../../platform/apps.ts'
import { createDeployment } from '../../platform/deployments.ts'
import type { App, Project } from '../../platform/model/resources.ts'
import { everything } from '../../platform/model/scopes.ts'
import type { VariableOwner } from '../../platform/variable-owner.ts'
import { listVariableVersions, restoreVariables } from '../../platform/variable-versions.ts'
import { exportVariables, importVariables, listVariables, setVariables } from '../../platform/variables.ts'
import { createVolume } from '../../platform/volumes.ts'
import { loadDeployment } from '../../platform/worker/deployments.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'
import { dataVolume } from '../support/volumes.ts'

let berth: TestPlatform
let teamId: string
let project: Project
let web: App
let db: App
let shared: VariableOwner

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  teamId = (await berth.makeTeam('Acme')).id
})
afterAll(() => berth?.close())
beforeEach(async () => {
  project = await berth.makeProject(teamId)
  web = await makeApp('web', {})
  db = await makeApp('db', { port: 5432 })
  shared = { environmentId: web.environmentId }
})

const makeApp = (slug: string, settings: { port?: number }) =>
  createApp(berth.platform, operator, project.id, {
    ...{ name: slug, slug },
    settings: { image: 'registry.example/app:1', ...settings },
  })
const of = (app: App): VariableOwner => ({ appId: app.id })
/** `${{text}}`, which a linter takes for a mistake. */
const ref = (text: string) => '$'.concat(`{{${text}}}`)
const values = (set: Record<string, string>, isSecret = false) =>
  Object.entries(set).map(([name, value]) => ({ name, value, isSecret }))
const set = (owner: VariableOwner, given: Record<string, string>, isSecret = false) =>
  setVariables(berth.platform, operator, owner, { set: values(given, isSecret) })

async function runsWith(app: App) {
  const { id } = await createDeployment(berth.platform, operator, app.id, {})
  const work = await loadDeployment(berth.platform, id)
  return { variables: work?.variables, files: work?.files }
}

/** Which field of a change is refused, and why. */
const refused = (path: string, message: string | RegExp) => ({
  code: 'invalid',
  fields: [{ path, message: typeof message === 'string' ? message : expect.stringMatching(message) }],
})

describe('what they refer to', () => {
  test('own ones, shared ones, those of other apps, and what Berth knows of an app are filled in', async () => {
    await set(shared, { REGION: 'eu', PREFIX: '/api', BUCKET: `${ref('REGION')}-files` })
    await set(of(db), { PASSWORD: 's3cret', USER: 'app' }, true)
    await set(of(web), {
      REGION: 'us',
      PREFIX: `${ref('PREFIX')}/v1`,
      URL: `postgres://${ref('db.USER')}:${ref(' db.PASSWORD ')}@${ref('db.BERTH_PRIVATE_HOST')}:${ref('db.BERTH_PRIVATE_PORT')}/x`,
      SELF: ref('BERTH_PUBLIC_URL'),
      HERE: ref('REGION'),
      LITERAL: `$${ref('X')} ${'$'.concat('{{not a name}}')}`,
    })
    const { variables } = await runsWith(web)
    expect(variables).toEqual({
      ...{ REGION: 'us', PREFIX: '/api/v1', BUCKET: 'eu-files', HERE: 'us', SELF: web.urls[0] },
      URL: 'postgres://app:s3cret@db:5432/x',
      LITERAL: `${ref('X')} ${'$'.concat('{{not a name}}')}`,
    })
    const row = await berth.platform.db.deployment.findFirstOrThrow({ where: { appId: web.id } })
    const { variables: kept } = row.snapshot as { variables: { name: string; isSecret: boolean }[] }
    expect(kept.filter(({ isSecret }) => isSecret).map(({ name }) => name)).toEqual(['URL'])
    expect(JSON.stringify(row.snapshot)).not.toContain('s3cret')
  })

  test('a circle, what is not there and what grows too long are refused at their fields', async () => {
    await set(of(db), { A: '1' })
    await set(of(web), { B: ref('db.A') })
    await expect(set(of(db), { C: 'x', A: ref('web.B') })).rejects.toMatchObject(
      refused('set.1.value', 'refers to itself: db.A → web.B → db.A'),
    )
    await expect(set(of(web), { D: ref('D') })).rejects.toMatchObject(
      refused('set.0.value', 'refers to D, which does not exist'),
    )
    await expect(set(of(web), { D: ref('db.NO') })).rejects.toMatchObject(
      refused('set.0.value', 'refers to db.NO, which does not exist'),
    )
    await expect(set(of(web), { D: ref('nobody.A') })).rejects.toMatchObject(
      refused('set.0.value', /^refers to the app nobody, which is not there/),
    )
    const doubled = Object.fromEntries(
      [...'bcdefghijklmnopq'].map((letter, at) => [letter, ref(String.fromCharCode(97 + at)).repeat(4)]),
    )
    await expect(set(of(web), { a: 'lol', ...doubled })).rejects.toMatchObject({
      fields: expect.arrayContaining([
        { path: 'set.16.value', message: expect.stringMatching(/^becomes longer than 32,768/) },
      ]),
    })
    expect((await listVariables(berth.platform, operator, of(web))).map(({ name }) => name)).toEqual(['B'])
  })

  test('what another refers to is not removed, and a deployment says what is missing when its app is gone', async () => {
    await set(of(db), { A: '1' })
    await set(of(web), { B: ref('db.A') })
    await expect(setVariables(berth.platform, operator, of(db), { remove: ['A'] })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('web.B refers to A'),
    })
    await berth.platform.db.app.delete({ where: { id: db.id } })
    await expect(runsWith(web)).rejects.toMatchObject({
      code: 'invalid',
      message: 'The variable B refers to db.A, which does not exist. Change it, then deploy again.',
    })
  })

  test('a token that is for one app alone reaches no other app’s variables', async () => {
    await set(of(db), { A: '1' }, true)
    const token: Viewer = {
      ...{ kind: 'token', tokenId: 'tok', userId: null, teamId, makerId: null, role: 'developer' },
      scope: { ...everything, appIds: [web.id] },
    }
    const tried = setVariables(berth.platform, token, of(web), { set: values({ B: ref('db.A') }) })
    await expect(tried).rejects.toMatchObject(refused('set.0.value', /not there or not yours/))
    await setVariables(berth.platform, token, of(web), { set: values({ B: 'mine' }) })
    // Nor by putting back what others wrote, or by a file.
    await set(of(web), { B: ref('db.A') })
    await set(of(web), { B: 'none' })
    await expect(restoreVariables(berth.platform, token, of(web), 2)).rejects.toMatchObject(
      refused('set.0.value', /not there or not yours/),
    )
    const text = `B=${ref('db.A')}\n`
    await expect(importVariables(berth.platform, token, of(web), { text })).rejects.toMatchObject(
      refused('set.0.value', /not there or not yours/),
    )
    expect(await listVariables(berth.platform, token, of(web))).toMatchObject([{ name: 'B', value: 'none' }])
  })

  test('a first variable of a new app is checked like any other', async () => {
    const input = { name: 'late', settings: { image: 'registry.example/app:1' } }
    const make = (given: Record<string, string>) =>
      createApp(berth.platform, operator, project.id, { ...input, variables: values(given) })
    await expect(make({ X: ref('NO') })).rejects.toMatchObject(
      refused('variables.0.value', 'refers to NO, which does not exist'),
    )
    expect((await make({ X: 'y' })).slug).toBe('late')
  })
})

describe('files', () => {
  const file = (name: string, filePath: string, value = 'x') => ({ name, value, filePath, isSecret: true })

  test('a variable is in a file instead of the environment, and an app’s own goes before a shared one', async () => {
    await setVariables(berth.platform, operator, shared, { set: [file('KEY', '/run/secrets/key', 'shared')] })
    await setVariables(berth.platform, operator, of(db), { set: [file('KEY', '/run/secrets/key', 'own')] })
    expect(await runsWith(web)).toEqual({
      variables: {},
      files: [{ path: '/run/secrets/key', content: 'shared' }],
    })
    expect((await runsWith(db)).files).toEqual([{ path: '/run/secrets/key', content: 'own' }])
  })

  test('no two are in one place, in a volume, or where Berth writes', async () => {
    await createVolume(berth.platform, operator, web.id, dataVolume)
    await setVariables(berth.platform, operator, shared, { set: [file('A', '/etc/app')] })
    const tried = (path: string) =>
      setVariables(berth.platform, operator, of(web), { set: [file('B', path)] })
    for (const path of ['/etc/app', '/etc/app/b'])
      await expect(tried(path)).rejects.toMatchObject(refused('set.0.filePath', /in the way of A/))
    await expect(tried('/data/b')).rejects.toMatchObject(
      refused('set.0.filePath', 'is in the volume at /data'),
    )
    for (const path of ['/proc/x', '/etc/hosts', 'rel', '/a/../b', '/a//b'])
      await expect(tried(path), path).rejects.toMatchObject(refused('set.0.filePath', /^must/))
    await tried('/etc/other')
  })
})

test('versions tell who changed what, hide secrets, and come back whole', async () => {
  const developer = await berth.makeUser({ teamId, role: 'developer' })
  await set(of(web), { A: '1', B: '2' })
  await setVariables(berth.platform, developer.viewer, of(web), {
    set: [...values({ A: '3' }), ...values({ S: 'hidden' }, true)],
    remove: ['B'],
  })
  await set(of(web), { A: '3' })
  const { data } = await listVariableVersions(berth.platform, operator, of(web))
  const { name } = await berth.platform.db.user.findUniqueOrThrow({ where: { id: developer.id } })
  expect(data.map(({ number, by }) => [number, by])).toEqual([
    [2, name],
    [1, 'Operator'],
  ])
  expect(data[0]?.changes).toEqual([
    { name: 'A', change: 'changed', isSecret: false, before: '1', after: '3' },
    { name: 'B', change: 'removed', isSecret: false, before: '2', after: null },
    { name: 'S', change: 'added', isSecret: true, before: null, after: null },
  ])
  expect(JSON.stringify(data)).not.toContain('hidden')
  await set(of(web), { S: 'other' }, true)
  await restoreVariables(berth.platform, operator, of(web), 2)
  expect((await runsWith(web)).variables).toEqual({ A: '3', S: 'hidden' })
  await expect(restoreVariables(berth.platform, operator, of(web), 99)).rejects.toMatchObject({
    code: 'not-found',
  })
  const first = await listVariableVersions(berth.platform, operator, of(web), { limit: 1 })
  const rest = await listVariableVersions(berth.platform, operator, of(web), {
    limit: 3,
    cursor: first.nextCursor ?? '',
  })
  expect(rest.data.map(({ number }) => number)).toEqual([3, 2, 1])
  expect(rest.data[1]?.changes).toHaveLength(3)
})

test('a .env file goes in, and comes out without secrets', async () => {
  await set(of(web), { S: 'old' }, true)
  const text = 'A=1\nS=new\nexport B="two\\nlines"\n'
  await importVariables(berth.platform, operator, of(web), { text })
  expect((await runsWith(web)).variables).toEqual({ A: '1', B: 'two\nlines', S: 'new' })
  expect(await exportVariables(berth.platform, operator, of(web))).toBe(
    'A=1\nB="two\\nlines"\n# S is a secret\n',
  )
  await expect(
    importVariables(berth.platform, operator, of(web), { text: 'C=1\nnonsense\n' }),
  ).rejects.toMatchObject(refused('text', 'has lines that are no variables: 2'))
  expect((await listVariables(berth.platform, operator, of(web))).map(({ name }) => name)).toEqual([
    'A',
    'B',
    'S',
  ])
  const twice = { set: [...values({ A: '1' }), ...values({ A: '2' })] }
  await expect(setVariables(berth.platform, operator, of(web), twice)).rejects.toMatchObject(
    refused('set.1.name', 'is there twice'),
  )
})
