/**
 * Every route that changes something is called once with success, and must leave an entry in the audit log that says
 * who it was and from where. A route that is in none of the tables fails: whoever adds one says there how it is used.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withRequestOrigin } from '../../../platform/request-origin.ts'
import { accountUses } from './audited/account-uses.ts'
import { actionUses } from './audited/action-uses.ts'
import { adminUses } from './audited/admin-uses.ts'
import { appPartUses } from './audited/app-part-uses.ts'
import { appUses } from './audited/app-uses.ts'
import { type AuditStand, from, openAuditStand, type Uses } from './audited/stand.ts'
import { teamUses } from './audited/team-uses.ts'

const uses: Uses = { ...accountUses, ...teamUses, ...appUses, ...appPartUses, ...adminUses }

let stand: AuditStand
beforeAll(async () => {
  stand = await openAuditStand()
})
afterAll(() => stand?.close())

/** Routes that are not called here, and why. */
const elsewhere: Record<string, string> = {
  'DELETE /apps/{id}/files': 'needs a host: test/worker/files.test.ts looks for its entry',
  'PUT /apps/{id}/files/content': 'needs a host: test/worker/files.test.ts looks for its entry',
  'POST /apps/{id}/files/folders': 'needs a host: test/worker/files.test.ts looks for its entry',
  'DELETE /volumes/{id}/files': 'needs a host: test/worker/files.test.ts looks for its entry',
  'PUT /volumes/{id}/files/content': 'needs a host: test/worker/files.test.ts looks for its entry',
  'POST /volumes/{id}/files/folders': 'needs a host: test/worker/files.test.ts looks for its entry',
  'POST /repositories/{id}/retention-preview': 'changes nothing: it has a body, so it is no GET',
  'POST /projects/{id}/follow-preview': 'changes nothing: it has a body, so it is no GET',
  'DELETE /repositories/{id}/tags/{tag}':
    'needs a registry: test/registry/repositories.test.ts looks for its entry',
  'DELETE /repositories/{id}/images/{digest}':
    'needs a registry: test/registry/repositories.test.ts looks for its entry',
}

test('every route that changes something is in the table, or says where else its entry is looked for', async () => {
  const { body } = await stand.berth.nobody('GET /openapi.json')
  const changing = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'get')
      .map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(changing.length).toBeGreaterThan(45)
  expect([...Object.keys(uses), ...Object.keys(elsewhere)].sort()).toEqual(changing.sort())
})

describe('leaves an entry', () => {
  for (const [route, use] of Object.entries(uses)) {
    test(route, async () => {
      const answer = await use(await stand.make())
      expect([answer.status < 300, answer.body?.detail]).toEqual([true, undefined])
      const pattern = route.replaceAll(/\{\w+\}/g, '[^/]+')
      expect(stand.called().split('?')[0]).toMatch(new RegExp(`^${pattern}$`))
      const [entry, ...more] = await stand.newEntries()
      expect(entry).toMatchObject({ ...from, actor: expect.stringMatching(/^(user:|operator$)/) })
      expect(more.length).toBeLessThan(3)
    })
  }

  for (const [name, use] of Object.entries(actionUses)) {
    test(name, async () => {
      const given = await stand.make()
      await stand.begin(name)
      const actor = await withRequestOrigin(from, () => use(given))
      const entries = await stand.newEntries()
      expect(entries.length).toBeGreaterThan(0)
      expect(entries[0]).toMatchObject({ ...from, actor })
    })
  }
})

// After the others: it looks through what they left.
test('no password, token, link, code or value of a variable stands anywhere in the log', async () => {
  const { secrets, berth } = stand
  expect(secrets.size).toBeGreaterThan(20)
  const log = JSON.stringify(await berth.platform.db.auditEvent.findMany())
  expect(log.length).toBeGreaterThan(10_000)
  expect([...secrets].filter((secret) => log.includes(secret))).toEqual([])
})
