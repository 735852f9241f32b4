/** Routes of an app: its settings, variables, source and deployments. */
import { makeTar } from '../../../support/images.ts'
import { type Given, makeLive, type Uses } from './stand.ts'

/** A public address, so that nobody need know a name. */
function setGitSource({ call, app }: Given) {
  return call(`PUT /apps/${app}/git-source`, { address: 'ssh://git@9.9.9.9/acme/shop.git' })
}

export const appUses: Uses = {
  'PATCH /apps/{id}': ({ call, app }) => call(`PATCH /apps/${app}`, { settings: { replicas: 2 } }),
  'DELETE /apps/{id}': ({ call, app }) => call(`DELETE /apps/${app}`),
  'PUT /apps/{id}/access': ({ call, app }) =>
    call(`PUT /apps/${app}/access`, { users: [], addresses: ['203.0.113.0/24'] }),
  'PUT /apps/{id}/alert-rules/{rule}': ({ call, app }) =>
    call(`PUT /apps/${app}/alert-rules/cpu`, { threshold: 80 }),
  'DELETE /apps/{id}/alert-rules/{rule}': async ({ call, app }) => {
    await call(`PUT /apps/${app}/alert-rules/memory`, { isEnabled: false })
    return call(`DELETE /apps/${app}/alert-rules/memory`)
  },
  'POST /apps/{id}/scale': async (given) => {
    await makeLive(given)
    return given.call(`POST /apps/${given.app}/scale`, { replicas: 2 })
  },
  'PUT /apps/{id}/processes/{name}': ({ call, app }) =>
    call(`PUT /apps/${app}/processes/worker`, { command: ['work'] }),
  'DELETE /apps/{id}/processes/{name}': async ({ call, app }) => {
    await call(`PUT /apps/${app}/processes/worker`, { command: ['work'] })
    return call(`DELETE /apps/${app}/processes/worker`)
  },
  'POST /apps/{id}/discard-changes': async (given) => {
    await makeLive(given)
    await given.call(`PATCH /apps/${given.app}`, { settings: { replicas: 3 } })
    return given.call(`POST /apps/${given.app}/discard-changes`, {})
  },
  'POST /apps/{id}/stop': async (given) => {
    await makeLive(given)
    return given.call(`POST /apps/${given.app}/stop`)
  },
  'POST /apps/{id}/start': async (given) => {
    await makeLive(given)
    await given.call(`POST /apps/${given.app}/stop`)
    return given.call(`POST /apps/${given.app}/start`)
  },
  'PATCH /apps/{id}/variables': ({ call, secrets, app }) => {
    secrets.add('value-that-was-set')
    return call(`PATCH /apps/${app}/variables`, { set: [{ name: 'KEY', value: 'value-that-was-set' }] })
  },
  'POST /apps/{id}/variables/import': ({ call, secrets, app }) => {
    secrets.add('value-of-a-file')
    return call(`POST /apps/${app}/variables/import`, { text: 'KEY=value-of-a-file' })
  },
  'POST /apps/{id}/variables/versions/{number}/restore': async ({ call, secrets, app }) => {
    secrets.add('value-that-comes-back')
    const set = (value: string) => call(`PATCH /apps/${app}/variables`, { set: [{ name: 'KEY', value }] })
    await set('value-that-comes-back')
    await set('')
    return call(`POST /apps/${app}/variables/versions/1/restore`)
  },
  'POST /apps/{id}/deployments': ({ call, app }) => call(`POST /apps/${app}/deployments`),
  'POST /apps/{id}/builds': async ({ upload, app }) =>
    upload(`/apps/${app}/builds`, await makeTar([{ name: 'Dockerfile', content: 'FROM scratch' }])),
  'PUT /apps/{id}/git-source': setGitSource,
  'DELETE /apps/{id}/git-source': async (given) => {
    await setGitSource(given)
    return given.call(`DELETE /apps/${given.app}/git-source`)
  },
  'POST /apps/{id}/git-source/deploy-key': async (given) => {
    await setGitSource(given)
    return given.call(`POST /apps/${given.app}/git-source/deploy-key`)
  },
  'POST /apps/{id}/git-source/webhook': async (given) => {
    await setGitSource(given)
    return given.call(`POST /apps/${given.app}/git-source/webhook`)
  },
  'POST /apps/{id}/git-source/deploy': async (given) => {
    await setGitSource(given)
    return given.call(`POST /apps/${given.app}/git-source/deploy`)
  },
  'POST /deployments/{id}/cancel': ({ call, deployment }) => call(`POST /deployments/${deployment}/cancel`),
  'POST /deployments/{id}/rollback': async (given) => {
    await makeLive(given)
    return given.call(`POST /deployments/${given.deployment}/rollback`)
  },
}
