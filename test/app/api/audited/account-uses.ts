/** Routes of a person: sessions, second factor, tokens, invitations. */
import { invite } from '../../../../platform/invitations.ts'
import { newId } from '../../../../platform/model/ids.ts'
import { signIn } from '../../../../platform/sessions.ts'
import { createTeamToken, createToken } from '../../../../platform/tokens.ts'
import { operator } from '../../../support/platform.ts'
import { codeOf } from '../../../support/totp.ts'
import { type Given, password, type Uses } from './stand.ts'

/** A person with two-factor sign-in, and codes that are good. */
async function withTwoFactor({ berth, call, cookieOf, team }: Given) {
  const user = await berth.makeUser({ teamId: team, role: 'viewer' })
  const cookie = await cookieOf(user)
  const { secret } = (await call('POST /me/two-factor', { password }, cookie)).body
  const confirm = () => call('POST /me/two-factor/confirm', { code: codeOf(secret) }, cookie)
  return { user, cookie, confirm }
}

export const accountUses: Uses = {
  'POST /me/sessions/end-others': ({ call }) => call('POST /me/sessions/end-others', {}),
  'DELETE /me/sessions/{id}': async ({ call, berth, cookieOf, member }) => {
    const { sessionId } = await signIn(berth.platform, { email: member.email, password, address: '::1' })
    return call(`DELETE /me/sessions/${sessionId}`, undefined, await cookieOf(member))
  },
  'POST /me/password': async ({ call, secrets, cookieOf, member }) => {
    const wanted = 'three unlikely words'
    secrets.add(wanted)
    const cookie = await cookieOf(member)
    return call('POST /me/password', { current: password, password: wanted }, cookie)
  },
  'POST /me/two-factor': async ({ call, cookieOf, member }) =>
    call('POST /me/two-factor', { password }, await cookieOf(member)),
  'POST /me/two-factor/confirm': async (given) => (await withTwoFactor(given)).confirm(),
  'POST /me/two-factor/recovery-codes': async (given) => {
    const { confirm, cookie } = await withTwoFactor(given)
    const [code] = (await confirm()).body.recoveryCodes as string[]
    return given.call('POST /me/two-factor/recovery-codes', { password, code }, cookie)
  },
  'POST /me/two-factor/disable': async (given) => {
    const { confirm, cookie } = await withTwoFactor(given)
    const [code] = (await confirm()).body.recoveryCodes as string[]
    return given.call('POST /me/two-factor/disable', { password, code }, cookie)
  },
  'DELETE /users/{id}/two-factor': async (given) => {
    const { confirm, user } = await withTwoFactor(given)
    await confirm()
    return given.call(`DELETE /users/${user.id}/two-factor`)
  },
  'DELETE /invitations/{id}': async ({ call, berth, team }) => {
    const { id } = await invite(berth.platform, operator, team, { email: 'gone@example.com' })
    return call(`DELETE /invitations/${id}`)
  },
  'POST /invitations/accept': async ({ call, berth, cookieOf, tokenOf, team }) => {
    const guest = await berth.makeUser()
    const { url } = await invite(berth.platform, operator, team, { email: guest.email })
    return call('POST /invitations/accept', { token: tokenOf(url) }, await cookieOf(guest))
  },
  'POST /tokens': ({ call }) => call('POST /tokens', { name: 'mine' }),
  'DELETE /tokens/{id}': async ({ call, berth, owner }) => {
    const { id } = await createToken(berth.platform, owner.viewer, { name: 'old' })
    return call(`DELETE /tokens/${id}`)
  },
  'POST /teams/{team}/tokens': ({ call, team }) => call(`POST /teams/${team}/tokens`, { name: 'ci' }),
  'POST /tokens/{id}/take-over': async ({ call, berth, team }) => {
    const { id } = await createTeamToken(berth.platform, operator, team, { name: 'robot' })
    return call(`POST /tokens/${id}/take-over`)
  },
  'DELETE /me/identities/{id}': async ({ call, berth, cookieOf, member }) => {
    const id = newId('identity')
    await berth.platform.db.identity.create({
      data: { id, userId: member.id, issuer: 'https://idp.example', subject: id },
    })
    return call(`DELETE /me/identities/${id}`, undefined, await cookieOf(member))
  },
}
