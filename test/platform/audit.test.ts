import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import type { Viewer } from '../../platform/access.ts'
import { updateApp } from '../../platform/apps.ts'
import { record } from '../../platform/audit.ts'
import { changesBetween, Masked } from '../../platform/audit-changes.ts'
import { csvHeader, csvLine } from '../../platform/audit-csv.ts'
import { exportAudit, listAudit } from '../../platform/audit-log.ts'
import { expireAudit, setAuditRetention } from '../../platform/audit-retention.ts'
import { newId } from '../../platform/model/ids.ts'
import type { AuditEvent, Team } from '../../platform/model/resources.ts'
import { everything as wholeScope } from '../../platform/model/scopes.ts'
import type { Platform } from '../../platform/open.ts'
import { withRequestOrigin } from '../../platform/request-origin.ts'
import { renameTeam } from '../../platform/teams.ts'
import { createToken } from '../../platform/tokens.ts'
import { setVariables } from '../../platform/variables.ts'
import { openTestPlatform, operator, type TestPlatform, type TestUser } from '../support/platform.ts'

let berth: TestPlatform
let platform: Platform
let team: Team
let owner: TestUser

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  platform = berth.platform
})
afterAll(() => berth?.close())
beforeEach(async () => {
  team = await berth.makeTeam()
  owner = await berth.makeUser({ teamId: team.id, role: 'owner' })
})

const list = async (filter = {}) => (await listAudit(platform, operator, { teamId: team.id }, filter)).data
const actions = async (filter = {}) => (await list(filter)).map(({ action }) => action)

describe('what an entry says', () => {
  test('who, from where, what, and what it was before and after', async () => {
    const origin = { address: '203.0.113.9', userAgent: 'curl/8' }
    await withRequestOrigin(origin, () => renameTeam(platform, owner.viewer, team.id, { name: 'After' }))
    expect((await list())[0]).toMatchObject({
      actorType: 'user',
      actorId: owner.id,
      action: 'team.rename',
      targetId: team.id,
      changes: [{ field: 'name', before: team.name, after: 'After' }],
      ...origin,
    })
  })

  test('a change of settings names the fields that differ, and no others', async () => {
    const app = await berth.makeApp(team.id)
    await updateApp(platform, owner.viewer, app.id, { settings: { replicas: 2, limits: { cpuMillis: 250 } } })
    expect((await list())[0]?.changes).toEqual([
      { field: 'settings.limits.cpuMillis', before: 1_000, after: 250 },
      { field: 'settings.replicas', before: 1, after: 2 },
    ])
  })

  test('a token is named, with the person behind it', async () => {
    const { id } = await createToken(platform, owner.viewer, { name: 'ci', role: 'admin' })
    const viewer: Viewer = {
      ...{ kind: 'token', tokenId: id, userId: owner.id, teamId: null, makerId: null },
      ...{ role: 'admin', scope: wholeScope },
    }
    await renameTeam(platform, viewer, team.id, { name: 'By a token' })
    expect((await list())[0]).toMatchObject({ actorType: 'token', actorId: id, actorUserId: owner.id })
    expect(await actions({ actor: owner.id })).toEqual(['team.rename'])
    expect(await actions({ actor: id })).toEqual(['team.rename'])
  })

  test('values of variables are in no entry, marked as secret or not; that they changed is', async () => {
    const app = await berth.makeApp(team.id)
    const set = [
      { name: 'PLAIN', value: 'plain-value-1' },
      { name: 'SECRET', value: 'secret-value-1', isSecret: true },
    ]
    await setVariables(platform, owner.viewer, { appId: app.id }, { set })
    await setVariables(
      platform,
      owner.viewer,
      { appId: app.id },
      {
        set: [{ name: 'SECRET', value: 'secret-value-2', isSecret: true }],
        remove: ['PLAIN'],
      },
    )
    const mask = '••••••'
    expect((await list())[0]?.changes).toEqual([
      { field: 'variables.PLAIN.isSecret', before: false, after: null },
      { field: 'variables.PLAIN.value', before: mask, after: null },
      { field: 'variables.SECRET.value', before: mask, after: mask },
    ])
    const all = await platform.db.auditEvent.findMany({ where: { teamId: team.id } })
    expect(JSON.stringify(all)).not.toMatch(/(plain|secret)-value/)
  })

  test('a masked value can be compared, and comes out by no way', () => {
    const secret = new Masked('hunter2')
    const everyWay = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }, { depth: 9 }),
    ]
    expect(everyWay.join()).not.toContain('hunter2')
    expect(JSON.stringify({ ...secret })).toBe('{}')
    expect(changesBetween({ a: secret }, { a: new Masked('hunter2') })).toEqual([])
    expect(changesBetween({ a: secret }, { a: '••••••' })).toHaveLength(1)
    expect(JSON.stringify(changesBetween({ a: secret }, { a: new Masked('other') }))).not.toMatch(
      /hunter|other/,
    )
  })
})

test('an entry and what it tells of stand or fall together', async () => {
  const name = 'never'
  const failing = platform.db.$transaction(async (tx) => {
    await tx.team.update({ where: { id: team.id }, data: { name } })
    await record(tx, owner.viewer, { teamId: team.id, action: 'team.rename' })
    throw new Error('something later failed')
  })
  await expect(failing).rejects.toThrow('something later failed')
  expect(await actions({ action: 'team.rename' })).toEqual([])
})

describe('looking', () => {
  test('by who, what, to what and when, and all of them together', async () => {
    const app = await berth.makeApp(team.id, { name: 'Needle' })
    await renameTeam(platform, owner.viewer, team.id, { name: 'Hay' })
    expect(await actions({ action: 'team' })).toEqual(['team.rename', 'team.create'])
    expect(await actions({ action: 'team.rename' })).toEqual(['team.rename'])
    // An area is a whole word.
    expect(await actions({ action: 'tea' })).toEqual([])
    expect(await actions({ target: app.id })).toEqual(['app.create'])
    expect(await actions({ target: 'needl' })).toEqual(['app.create'])
    expect(await actions({ actor: owner.id })).toEqual(['team.rename'])
    expect(await actions({ actor: 'operator', action: 'team' })).toEqual(['team.create'])
    const [newest] = await list()
    expect(await actions({ until: newest?.createdAt })).not.toContain('team.rename')
    expect(await actions({ since: newest?.createdAt })).toContain('team.rename')
    expect(await actions({ since: '2999-01-01' })).toEqual([])
    await expect(list({ since: 'yesterday' })).rejects.toThrow('since: must be a time')
    await expect(list({ actor: { contains: '' } })).rejects.toMatchObject({ code: 'invalid' })
  })

  test('pages lose and repeat nothing while entries are added', async () => {
    for (let i = 0; i < 7; i++) await renameTeam(platform, owner.viewer, team.id, { name: `Name ${i}` })
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await listAudit(
        platform,
        operator,
        { teamId: team.id },
        { action: 'team' },
        { limit: 3, cursor },
      )
      seen.push(
        ...page.data.map(({ changes }) => String(changes.find(({ field }) => field === 'name')?.after)),
      )
      await renameTeam(platform, owner.viewer, team.id, { name: 'Added meanwhile' })
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((i) => `Name ${i}`).concat(team.name))
  })

  test('the log of a team is for its administrators, the whole for those of the installation', async () => {
    const developer = await berth.makeUser({ teamId: team.id, role: 'developer' })
    const administrator = await berth.makeUser()
    await platform.db.user.update({ where: { id: administrator.id }, data: { isAdmin: true } })
    const ofTeam = (viewer: TestUser['viewer']) => listAudit(platform, viewer, { teamId: team.id })
    const whole = (viewer: TestUser['viewer']) => listAudit(platform, viewer, 'installation')
    await expect(ofTeam(developer.viewer)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(ofTeam(administrator.viewer)).rejects.toMatchObject({ code: 'not-found' })
    await expect(whole(owner.viewer)).rejects.toMatchObject({ code: 'forbidden' })
    const { data } = await whole(administrator.viewer)
    expect(new Set(data.map(({ teamId }) => teamId)).size).toBeGreaterThan(1)
    expect(data.find(({ teamId }) => teamId === team.id)?.teamName).toBe(team.name)
  })
})

describe('taking it away', () => {
  async function taken(filter = {}): Promise<AuditEvent[]> {
    const source = await exportAudit(platform, owner.viewer, { teamId: team.id }, filter, 'csv')
    const all: AuditEvent[] = []
    for await (const events of source) all.push(...events)
    return all
  }

  test('holds everything that the filter lets through, over many batches, and is itself written down', async () => {
    const rows = Array.from({ length: 1_203 }, (_, i) => ({
      ...{
        id: newId('audit', Date.now() - 10_000 + i),
        teamId: team.id,
        actor: 'system',
        actorName: 'Berth',
      },
      ...{ action: 'test.many', targetName: String(i) },
    }))
    await platform.db.auditEvent.createMany({ data: rows })
    const numbers = (await taken({ action: 'test' })).map(({ targetName }) => Number(targetName))
    expect(numbers).toEqual(rows.map((_, i) => rows.length - 1 - i))
    expect((await list())[0]).toMatchObject({
      action: 'audit.export',
      detail: { format: 'csv', action: 'test' },
    })
  })

  test('no cell of the CSV is a formula, and none breaks out of its place', async () => {
    const [event] = await list()
    if (event === undefined) throw new Error('no entry')
    const evil = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', ' =1', '\r=1', '＝1', '|calc', '%0A=1']
    for (const targetName of evil) expect(csvLine({ ...event, targetName })).toContain(`"'${targetName}"`)
    const line = csvLine({ ...event, targetName: 'a","b\r\n=1' })
    expect(line).toContain('"a"",""b\r\n=1"')
    expect(csvLine({ ...event, targetName: 'plain name' })).toContain('"plain name"')
    expect(csvHeader.split(',')).toHaveLength(15)
  })
})

describe('what is written stays', () => {
  test('the database changes and removes no entry, whoever asks', async () => {
    const where = { teamId: team.id }
    await expect(platform.db.auditEvent.updateMany({ where, data: { actorName: 'x' } })).rejects.toThrow(
      'append-only',
    )
    await expect(platform.db.auditEvent.deleteMany({ where })).rejects.toThrow('append-only')
    await expect(platform.db.$executeRaw`TRUNCATE audit_events`).rejects.toThrow('append-only')
    await platform.db.team.delete({ where: { id: team.id } })
    expect(await platform.db.auditEvent.count({ where })).toBeGreaterThan(0)
  })

  test('what is older than it is kept goes, nothing younger does, and that is written down', async () => {
    const days = (count: number) => Date.now() - count * 86_400_000
    const old = (count: number) => ({
      ...{ id: newId('audit', days(count)), teamId: team.id, actor: 'system', actorName: 'Berth' },
      ...{ action: `test.${count}`, createdAt: new Date(days(count)) },
    })
    await platform.db.auditEvent.createMany({ data: [old(31), old(29)] })
    expect(await expireAudit(platform)).toBe(0)
    await setAuditRetention(platform, operator, { days: 30 })
    expect(await expireAudit(platform)).toBe(1)
    expect(await actions({ action: 'test' })).toEqual(['test.29'])
    const { data } = await listAudit(platform, operator, 'installation', { action: 'audit' })
    expect(data.slice(0, 2)).toMatchObject([
      { action: 'audit.expire', actorType: 'system', detail: { removed: 1, days: 30 } },
      { action: 'audit.change-retention', changes: [{ field: 'days', before: null, after: 30 }] },
    ])
    await setAuditRetention(platform, operator, { days: null })
    expect(await expireAudit(platform)).toBe(0)
  })
})
