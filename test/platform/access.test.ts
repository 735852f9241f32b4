import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import {
  type Action,
  type InstallationAction,
  policy,
  requireInstallation,
  requireTeam,
  type TeamAction,
  type Viewer,
} from '../../platform/access.ts'
import type { Team } from '../../platform/model/resources.ts'
import { type Role, roles } from '../../platform/model/roles.ts'
import { everything } from '../../platform/model/scopes.ts'
import { openTestPlatform, operator, type TestPlatform } from '../support/platform.ts'

let berth: TestPlatform
let team: Team
const viewers = new Map<string, Viewer>()

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  team = await berth.makeTeam()
  for (const role of roles) {
    const user = await berth.makeUser({ teamId: team.id, role })
    viewers.set(role, user.viewer)
  }
  viewers.set('stranger', (await berth.makeUser()).viewer)
  const admin = await berth.makeUser()
  await berth.platform.db.user.update({ where: { id: admin.id }, data: { isAdmin: true } })
  viewers.set('administrator', admin.viewer)
  viewers.set('operator', operator)
})

afterAll(() => berth?.close())

/** What each may do, written out by hand: a change of the policy has to be made here as well. */
const allowed: Record<Action, string> = {
  'installation.create-setup-link': 'operator',
  'installation.create-token': 'operator',
  'installation.read-status': 'operator',
  'installation.read-users': 'administrator operator',
  'installation.manage-users': 'administrator operator',
  'installation.read-teams': 'administrator operator',
  'installation.manage-teams': 'administrator operator',
  'installation.read-hosts': 'administrator operator',
  'installation.manage-hosts': 'administrator operator',
  'installation.collect-images': 'administrator operator',
  'installation.read-audit': 'administrator operator',
  'installation.change-settings': 'administrator operator',
  'installation.read-sign-in': 'administrator operator',
  'installation.change-sign-in': 'administrator operator',
  'team.create': 'administrator operator',
  'team.read': 'viewer developer admin owner operator',
  'team.rename': 'admin owner operator',
  'team.delete': 'owner operator',
  'team.restore': 'administrator operator',
  'team.leave': 'viewer developer admin owner operator',
  'team.require-two-factor': 'owner operator',
  'member.read': 'viewer developer admin owner operator',
  'member.change-role': 'admin owner operator',
  'member.remove': 'admin owner operator',
  'invitation.read': 'admin owner operator',
  'invitation.create': 'admin owner operator',
  'invitation.revoke': 'admin owner operator',
  'project.read': 'viewer developer admin owner operator',
  'port.publish': 'developer admin owner operator',
  'port.remove': 'developer admin owner operator',
  'project.create': 'developer admin owner operator',
  'project.update': 'developer admin owner operator',
  'project.delete': 'admin owner operator',
  'project.manage-access': 'admin owner operator',
  'app.read': 'viewer developer admin owner operator',
  'app.create': 'developer admin owner operator',
  'app.update': 'developer admin owner operator',
  'app.scale': 'developer admin owner operator',
  'app.change-access': 'developer admin owner operator',
  'app.start': 'developer admin owner operator',
  'app.stop': 'developer admin owner operator',
  'app.delete': 'developer admin owner operator',
  'registry.read': 'developer admin owner operator',
  'registry.manage': 'admin owner operator',
  'log-drain.read': 'admin owner operator',
  'log-drain.manage': 'admin owner operator',
  'notification.read': 'admin owner operator',
  'notification.manage': 'admin owner operator',
  'app.read-timeline': 'viewer developer admin owner operator',
  'app.read-logs': 'viewer developer admin owner operator',
  'metrics.read': 'viewer developer admin owner operator',
  'alert.read': 'viewer developer admin owner operator',
  'alert.write': 'developer admin owner operator',
  'terminal.open': 'developer admin owner operator',
  'file.list': 'developer admin owner operator',
  'file.download': 'developer admin owner operator',
  'file.upload': 'developer admin owner operator',
  'file.delete': 'developer admin owner operator',
  'deployment.read': 'viewer developer admin owner operator',
  'deployment.create': 'developer admin owner operator',
  'deployment.rollback': 'developer admin owner operator',
  'deployment.cancel': 'developer admin owner operator',
  'git-source.read': 'viewer developer admin owner operator',
  'git-source.write': 'developer admin owner operator',
  'variable.read': 'developer admin owner operator',
  'variable.write': 'developer admin owner operator',
  'run.read': 'viewer developer admin owner operator',
  'run.create': 'developer admin owner operator',
  'run.cancel': 'developer admin owner operator',
  'cron-job.read': 'viewer developer admin owner operator',
  'cron-job.write': 'developer admin owner operator',
  'volume.read': 'viewer developer admin owner operator',
  'volume.write': 'developer admin owner operator',
  'volume.delete': 'developer admin owner operator',
  'volume.restore': 'developer admin owner operator',
  'domain.read': 'viewer developer admin owner operator',
  'domain.add': 'developer admin owner operator',
  'domain.change': 'developer admin owner operator',
  'domain.check': 'developer admin owner operator',
  'domain.remove': 'developer admin owner operator',
  'repository.pull': 'viewer developer admin owner operator',
  'repository.push': 'developer admin owner operator',
  'repository.delete': 'admin owner operator',
  'quota.read': 'viewer developer admin owner operator',
  'quota.change': 'administrator operator',
  'repository.update': 'admin owner operator',
  'audit.read': 'admin owner operator',
  'account.manage-own': 'viewer developer admin owner stranger administrator operator',
  'user.reset-two-factor': 'administrator operator',
  'token.manage-own': 'viewer developer admin owner stranger administrator operator',
  'token.manage-of-team': 'admin owner operator',
}

async function ask(viewer: Viewer, action: Action): Promise<string> {
  try {
    if (isTeamAction(action)) await requireTeam(berth.platform, viewer, team.id, action)
    else await requireInstallation(berth.platform, viewer, action)
    return 'allowed'
  } catch (error) {
    return (error as { code: string }).code
  }
}

function isTeamAction(action: Action): action is TeamAction {
  return typeof policy[action] === 'object'
}

describe('each action is allowed to exactly those who are listed', () => {
  for (const action of Object.keys(policy) as Action[]) {
    test(action, async () => {
      for (const [name, viewer] of viewers) {
        const outsider = name === 'stranger' || name === 'administrator'
        const refusal = isTeamAction(action) && outsider ? 'not-found' : 'forbidden'
        const expected = allowed[action].split(' ').includes(name) ? 'allowed' : refusal
        expect(`${name}: ${await ask(viewer, action)}`).toBe(`${name}: ${expected}`)
      }
    })
  }
})

function token(fields: { userId?: string; teamId?: string; role: Role }): Viewer {
  return {
    kind: 'token',
    tokenId: 'tok_x',
    userId: null,
    makerId: null,
    teamId: null,
    scope: everything,
    ...fields,
  }
}

function userId(name: string): string {
  const viewer = viewers.get(name)
  return viewer?.kind === 'user' ? viewer.userId : ''
}

test('a token may do what both its role and its owner may, and nothing in other teams', async () => {
  const other = await berth.makeTeam()
  const cases: [Viewer, TeamAction, string][] = [
    [token({ userId: userId('owner'), role: 'viewer' }), 'app.create', 'forbidden'],
    [token({ userId: userId('viewer'), role: 'owner' }), 'app.create', 'forbidden'],
    [token({ userId: userId('developer'), role: 'developer' }), 'app.create', 'allowed'],
    [token({ userId: userId('owner'), teamId: other.id, role: 'owner' }), 'team.read', 'not-found'],
    [token({ userId: userId('stranger'), teamId: team.id, role: 'owner' }), 'team.read', 'not-found'],
    [token({ teamId: team.id, role: 'developer' }), 'app.create', 'allowed'],
    [token({ teamId: team.id, role: 'developer' }), 'team.rename', 'forbidden'],
    [token({ teamId: other.id, role: 'owner' }), 'team.read', 'not-found'],
    [token({ role: 'owner' }), 'team.read', 'not-found'],
  ]
  for (const [viewer, action, expected] of cases) expect(await ask(viewer, action)).toBe(expected)
})

test('a token never administers the installation unless it is an unlimited one of an administrator', async () => {
  const create: InstallationAction = 'team.create'
  const admin = userId('administrator')
  expect(await ask(token({ userId: admin, role: 'owner' }), create)).toBe('allowed')
  expect(await ask(token({ userId: admin, role: 'admin' }), create)).toBe('forbidden')
  expect(await ask(token({ userId: admin, teamId: team.id, role: 'owner' }), create)).toBe('forbidden')
  expect(await ask(token({ teamId: team.id, role: 'owner' }), create)).toBe('forbidden')
  expect(await ask(token({ userId: admin, role: 'owner' }), 'token.manage-own')).toBe('forbidden')
})

test('a disabled user is nobody at once', async () => {
  const user = await berth.makeUser({ teamId: team.id, role: 'owner' })
  expect(await ask(user.viewer, 'team.read')).toBe('allowed')
  await berth.platform.db.user.update({ where: { id: user.id }, data: { disabledAt: new Date() } })
  expect(await ask(user.viewer, 'team.read')).toBe('not-found')
})
