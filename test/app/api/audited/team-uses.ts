/** Routes of a team: members, projects, repositories, and what the team connects to. */
import { createDrain } from '../../../../platform/log-drains/drains.ts'
import { createChannel, testChannel } from '../../../../platform/notifications/channels.ts'
import { createRegistryLogin } from '../../../../platform/registries/logins.ts'
import { deleteTeam } from '../../../../platform/team-deletion.ts'
import { operator } from '../../../support/platform.ts'
import type { Given, Uses } from './stand.ts'

async function makeChannel({ berth, team }: Given): Promise<string> {
  const input = { kind: 'webhook', name: 'Ops', url: 'https://example.com/hook' } as const
  return (await createChannel(berth.platform, operator, team, input)).id
}

async function makeDrain({ berth, team }: Given): Promise<string> {
  // Of this machine, which is refused at once: nobody is asked.
  const input = { kind: 'http', name: 'Logs', url: 'http://127.0.0.1:9/' } as const
  return (await createDrain(berth.platform, operator, team, input)).id
}

const settings = { image: 'registry.example/app:1', port: 80 }

const registryPassword = 'password-of-a-registry'
const registryLogin = ({ registry }: Given) => ({
  host: registry.host,
  username: 'ada',
  password: registryPassword,
})

async function makeLogin(given: Given): Promise<string> {
  const { berth, team } = given
  return (await createRegistryLogin(berth.platform, operator, team, registryLogin(given))).id
}

export const teamUses: Uses = {
  'PUT /teams/{team}/two-factor': ({ call, team }) =>
    call(`PUT /teams/${team}/two-factor`, { required: false }),
  'POST /teams': ({ call }) => call('POST /teams', { name: 'New' }),
  'PATCH /teams/{team}': ({ call, team }) => call(`PATCH /teams/${team}`, { name: 'Renamed' }),
  'DELETE /teams/{team}': async ({ call, berth, team }) => {
    const { name } = await berth.platform.db.team.findUniqueOrThrow({ where: { id: team } })
    return call(`DELETE /teams/${team}?confirm=${encodeURIComponent(name)}`)
  },
  'POST /deleted-teams/{team}/restore': async ({ call, berth, owner, team }) => {
    const { name } = await berth.platform.db.team.findUniqueOrThrow({ where: { id: team } })
    await deleteTeam(berth.platform, owner.viewer, team, { confirm: name })
    return call(`POST /deleted-teams/${team}/restore`)
  },
  'PATCH /teams/{team}/quota': ({ call, team }) => call(`PATCH /teams/${team}/quota`, { apps: 100 }),
  'POST /teams/{team}/projects': ({ call, team }) => call(`POST /teams/${team}/projects`, { name: 'New' }),
  'PATCH /teams/{team}/members/{userId}': ({ call, team, member }) =>
    call(`PATCH /teams/${team}/members/${member.id}`, { role: 'developer' }),
  'DELETE /teams/{team}/members/{userId}': ({ call, team, member }) =>
    call(`DELETE /teams/${team}/members/${member.id}`),
  'POST /teams/{team}/leave': async ({ call, cookieOf, team, member }) =>
    call(`POST /teams/${team}/leave`, {}, await cookieOf(member)),
  'POST /teams/{team}/invitations': ({ call, team }) =>
    call(`POST /teams/${team}/invitations`, { email: 'new@example.com', role: 'viewer' }),
  'PATCH /projects/{id}': ({ call, project }) => call(`PATCH /projects/${project}`, { name: 'Renamed' }),
  'DELETE /projects/{id}': ({ call, emptyProject }) => call(`DELETE /projects/${emptyProject}`),
  'PUT /projects/{id}/access/{userId}': ({ call, project, member }) =>
    call(`PUT /projects/${project}/access/${member.id}`, { access: 'developer' }),
  'POST /projects/{id}/apps': ({ call, secrets, project }) => {
    secrets.add('value-of-a-new-app')
    const variables = [{ name: 'KEY', value: 'value-of-a-new-app' }]
    return call(`POST /projects/${project}/apps`, { name: 'New', settings, variables })
  },
  'PATCH /environments/{id}/variables': ({ call, secrets, environment }) => {
    secrets.add('value-that-is-shared')
    return call(`PATCH /environments/${environment}/variables`, {
      set: [{ name: 'KEY', value: 'value-that-is-shared' }],
    })
  },
  'POST /environments/{id}/variables/import': ({ call, secrets, environment }) => {
    secrets.add('value-of-a-file')
    return call(`POST /environments/${environment}/variables/import`, { text: 'KEY=value-of-a-file' })
  },
  'POST /environments/{id}/variables/versions/{number}/restore': async ({ call, secrets, environment }) => {
    secrets.add('value-that-comes-back')
    const set = (value: string) =>
      call(`PATCH /environments/${environment}/variables`, { set: [{ name: 'KEY', value }] })
    await set('value-that-comes-back')
    await set('')
    return call(`POST /environments/${environment}/variables/versions/1/restore`)
  },
  'POST /teams/{team}/registry-logins': (given) =>
    given.call(`POST /teams/${given.team}/registry-logins`, registryLogin(given)),
  'PATCH /registry-logins/{id}': async (given) =>
    given.call(`PATCH /registry-logins/${await makeLogin(given)}`, { password: registryPassword }),
  'POST /registry-logins/{id}/test': async (given) =>
    given.call(`POST /registry-logins/${await makeLogin(given)}/test`),
  'DELETE /registry-logins/{id}': async (given) =>
    given.call(`DELETE /registry-logins/${await makeLogin(given)}`),
  'POST /teams/{team}/log-drains': ({ call, secrets, team }) => {
    secrets.add('Bearer a-key-of-a-drain')
    const headers = { authorization: 'Bearer a-key-of-a-drain' }
    return call(`POST /teams/${team}/log-drains`, {
      kind: 'http',
      name: 'Logs',
      url: 'https://example.com/',
      headers,
    })
  },
  'PATCH /log-drains/{id}': async (given) =>
    given.call(`PATCH /log-drains/${await makeDrain(given)}`, { isEnabled: false }),
  'DELETE /log-drains/{id}': async (given) => given.call(`DELETE /log-drains/${await makeDrain(given)}`),
  'POST /log-drains/{id}/test': async (given) =>
    given.call(`POST /log-drains/${await makeDrain(given)}/test`),
  'POST /teams/{team}/notification-channels': ({ call, secrets, team }) => {
    secrets.add('a-part-of-a-hook')
    const url = 'https://example.com/a-part-of-a-hook'
    return call(`POST /teams/${team}/notification-channels`, { kind: 'webhook', name: 'Ops', url })
  },
  'PATCH /notification-channels/{id}': async (given) =>
    given.call(`PATCH /notification-channels/${await makeChannel(given)}`, { isEnabled: false }),
  'DELETE /notification-channels/{id}': async (given) =>
    given.call(`DELETE /notification-channels/${await makeChannel(given)}`),
  'POST /notification-channels/{id}/test': async (given) =>
    given.call(`POST /notification-channels/${await makeChannel(given)}/test`),
  'POST /notification-channels/{id}/rotate-secret': async (given) =>
    given.call(`POST /notification-channels/${await makeChannel(given)}/rotate-secret`),
  'POST /notification-deliveries/{id}/redeliver': async (given) => {
    const [id = ''] = await testChannel(given.berth.platform, operator, await makeChannel(given))
    await given.berth.platform.db.notificationDelivery.update({ where: { id }, data: { status: 'failed' } })
    return given.call(`POST /notification-deliveries/${id}/redeliver`)
  },
  'PATCH /repositories/{id}': ({ call, repository }) =>
    call(`PATCH /repositories/${repository}`, { isPublic: true }),
  'DELETE /repositories/{id}': ({ call, repository }) => call(`DELETE /repositories/${repository}`),
  'PUT /teams/{team}/image-retention': ({ call, team }) =>
    call(`PUT /teams/${team}/image-retention`, { retention: { keepLast: 5 } }),
}
