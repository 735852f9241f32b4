/** Routes of the installation: for its administrators and its operator. */
import type { Uses } from './stand.ts'

const provider = { kind: 'github', name: 'GitHub', clientId: 'x', clientSecret: 'secret-of-a-provider' }
/** Nobody listens there, so that a letter fails at once. */
const mail = { host: '127.0.0.1', port: 1, security: 'none', from: 'berth@example.com' }
const acme = { directoryUrl: 'https://acme.example.org/directory', termsAgreed: true }

export const adminUses: Uses = {
  'POST /operator/setup-link': ({ call, asOperator }) => call('POST /operator/setup-link', {}, asOperator()),
  'POST /operator/tokens': ({ call, asOperator, member }) =>
    call('POST /operator/tokens', { name: 'x', email: member.email }, asOperator()),
  'PUT /admin/registration': ({ call }) => call('PUT /admin/registration', { registration: 'invitation' }),
  'POST /admin/sign-in-providers': ({ call, secrets }) => {
    secrets.add(provider.clientSecret)
    return call('POST /admin/sign-in-providers', { id: 'gh-made', ...provider })
  },
  'PATCH /admin/sign-in-providers/{id}': async ({ call }) => {
    await call('POST /admin/sign-in-providers', { id: 'gh-changed', ...provider })
    return call('PATCH /admin/sign-in-providers/gh-changed', { name: 'Renamed' })
  },
  'DELETE /admin/sign-in-providers/{id}': async ({ call }) => {
    await call('POST /admin/sign-in-providers', { id: 'gh-removed', ...provider })
    return call('DELETE /admin/sign-in-providers/gh-removed')
  },
  'PUT /admin/acme': ({ call }) => call('PUT /admin/acme', acme),
  'DELETE /admin/acme': async ({ call }) => {
    await call('PUT /admin/acme', acme)
    return call('DELETE /admin/acme')
  },
  'PUT /admin/mail': ({ call, secrets }) => {
    secrets.add('password-of-the-mail-server')
    return call('PUT /admin/mail', { ...mail, user: 'berth', password: 'password-of-the-mail-server' })
  },
  'DELETE /admin/mail': async ({ call }) => {
    await call('PUT /admin/mail', mail)
    return call('DELETE /admin/mail')
  },
  'POST /admin/mail/test': async ({ call }) => {
    await call('PUT /admin/mail', mail)
    return call('POST /admin/mail/test', { to: 'somebody@example.com' })
  },
  'PUT /admin/audit/retention': ({ call }) => call('PUT /admin/audit/retention', { days: 400 }),
  'PATCH /admin/users/{id}': ({ call, member }) => call(`PATCH /admin/users/${member.id}`, { isAdmin: true }),
  'DELETE /admin/users/{id}': ({ call, member }) => call(`DELETE /admin/users/${member.id}`),
  'POST /admin/users/{id}/suspend': ({ call, member }) => call(`POST /admin/users/${member.id}/suspend`),
  'POST /admin/users/{id}/reactivate': async ({ call, member }) => {
    await call(`POST /admin/users/${member.id}/suspend`)
    return call(`POST /admin/users/${member.id}/reactivate`)
  },
  'POST /admin/users/{id}/reset-link': ({ call, member }) =>
    call(`POST /admin/users/${member.id}/reset-link`),
  'POST /admin/users/{id}/end-sessions': ({ call, member }) =>
    call(`POST /admin/users/${member.id}/end-sessions`),
  'DELETE /admin/teams/{id}': async ({ call, berth, team }) => {
    const { slug } = await berth.platform.db.team.findUniqueOrThrow({ where: { id: team } })
    return call(`DELETE /admin/teams/${team}?confirm=${slug}`)
  },
  'POST /admin/teams/{id}/owners': ({ call, team, member }) =>
    call(`POST /admin/teams/${team}/owners`, { userId: member.id }),
  'POST /admin/registry/collection': ({ call }) => call('POST /admin/registry/collection'),
  'PUT /admin/hosts/{id}/alert-rules/{rule}': ({ call, host }) =>
    call(`PUT /admin/hosts/${host}/alert-rules/silent`, { threshold: 10 }),
  'DELETE /admin/hosts/{id}/alert-rules/{rule}': async ({ call, host }) => {
    await call(`PUT /admin/hosts/${host}/alert-rules/disk`, { forSeconds: 600 })
    return call(`DELETE /admin/hosts/${host}/alert-rules/disk`)
  },
  'POST /admin/hosts/{id}/cordon': ({ call, host }) => call(`POST /admin/hosts/${host}/cordon`),
  'POST /admin/hosts/{id}/uncordon': async ({ call, host }) => {
    await call(`POST /admin/hosts/${host}/cordon`)
    return call(`POST /admin/hosts/${host}/uncordon`)
  },
}
