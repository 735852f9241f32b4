/** What server actions call: functions of the platform that no route calls, and those that change nothing. */
import { invite, joinByInvitation } from '../../../../platform/invitations.ts'
import { removeMail } from '../../../../platform/mail/settings.ts'
import { newId } from '../../../../platform/model/ids.ts'
import { resetPassword } from '../../../../platform/reset-password.ts'
import { randomText, sha256 } from '../../../../platform/secrets.ts'
import { claimInstallation, createSetupLink } from '../../../../platform/setup.ts'
import { changeRegistration, register } from '../../../../platform/sign-in/registration.ts'
import { createResetLink } from '../../../../platform/user-admin.ts'
import { setLocale } from '../../../../platform/users.ts'
import { operator } from '../../../support/platform.ts'
import { from, type Given, password } from './stand.ts'

/** What server actions call and no route does. Each is called here, and answers who is to stand in the entry. */
export const actionUses: Record<string, (given: Given) => Promise<string>> = {
  async setLocale({ berth, member }) {
    await setLocale(berth.platform, member.viewer, 'zh-CN')
    return `user:${member.id}`
  },
  async resetPassword({ berth, begin, secrets, tokenOf, member }) {
    const { url } = await createResetLink(berth.platform, operator, member.id)
    await begin('reset')
    const wanted = 'four other unlikely words'
    secrets.add(wanted)
    await resetPassword(berth.platform, { token: tokenOf(url), password: wanted }, from)
    return `user:${member.id}`
  },
  async register({ berth, secrets }) {
    const token = randomText(40)
    secrets.add(token)
    await berth.platform.db.installation.upsert({
      where: { id: 'installation' },
      create: { id: 'installation', registration: 'open' },
      update: { registration: 'open' },
    })
    await berth.platform.db.linkRequest.create({
      data: {
        ...{ id: newId('linkRequest'), kind: 'register', email: 'registers@example.com' },
        ...{ tokenHash: sha256(token), expiresAt: new Date(Date.now() + 60_000) },
      },
    })
    const { userId } = await register(berth.platform, { token, name: 'Registers', password })
    return `user:${userId}`
  },
  async joinByInvitation({ berth, begin, tokenOf, team }) {
    // Where letters are sent, the link is in one alone.
    await changeRegistration(berth.platform, operator, { registration: 'invitation' })
    await removeMail(berth.platform, operator)
    const { url } = await invite(berth.platform, operator, team, { email: 'joins@example.com' })
    await begin('join')
    const token = tokenOf(url)
    const { userId } = await joinByInvitation(berth.platform, { token, name: 'Joins', password })
    return `user:${userId}`
  },
  async claimInstallation({ berth, begin, tokenOf }) {
    const { url } = await createSetupLink(berth.platform, operator)
    await begin('claim')
    const person = { name: 'First', email: 'first@example.com', password }
    const { userId } = await claimInstallation(berth.platform, { token: tokenOf(url), ...person })
    return `user:${userId}`
  },
}

/**
 * Platform functions that server actions call and that change nothing. Whoever asks for a link by e-mail, which anybody
 * may for any address, or for a ticket to link an identity, changes nothing either; following it does.
 */
export const readers = [
  ...['askRegistration', 'askReset', 'beginLink', 'linkSeconds', 'getProject', 'getTeam', 'listProjects'],
  ...['exportVariables', 'listDomains', 'listVariables'],
  ...['validate', 'withRequestOrigin'],
]
