/** A platform that sends letters, and the server that takes them. */
import { inject } from 'vitest'
import { answerLinkRequest } from '../../platform/link-requests.ts'
import { deliver } from '../../platform/mail/outbox.ts'
import { changeMail } from '../../platform/mail/settings.ts'
import type { MailSettingsInput } from '../../platform/model/mail-settings.ts'
import { type ReceivedMail, startMailServer } from '../support/mail-server.ts'
import { openTestPlatform, operator } from '../support/platform.ts'

/** Of the mailbox that letters are sent from. */
export const user = { name: 'berth', password: 'the password of the mailbox' }
/** From where people ask. */
export const from = { address: '203.0.113.7' }

export type PostOffice = Awaited<ReturnType<typeof openPostOffice>>

export async function openPostOffice() {
  const berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  const server = await startMailServer({ user })
  const { db } = berth.platform

  function settings(more: Partial<MailSettingsInput> = {}): MailSettingsInput {
    return {
      ...{ host: '127.0.0.1', port: server.port, security: 'none', user: user.name, password: user.password },
      ...{ from: 'berth@example.org', fromName: 'Berth of Acme' },
      ...more,
    }
  }

  return {
    berth,
    server,
    settings,
    /** As at the beginning of each test: nothing was sent yet. */
    async reset() {
      server.refuse(null)
      server.received.length = 0
      await db.mail.deleteMany()
      await changeMail(berth.platform, operator, settings())
    },
    /** What the worker does with what is in the queue, without waiting for it. */
    async work(): Promise<void> {
      for (const { id } of await db.linkRequest.findMany({ where: { sentAt: null, failure: null } }))
        await answerLinkRequest(berth.platform, id)
      for (const { id } of await db.mail.findMany({ where: { sealed: { not: null } } }))
        await deliver(berth.platform, id).catch(() => undefined)
    },
    theLetter(): ReceivedMail {
      const [mail, ...more] = server.received
      if (mail === undefined || more.length > 0)
        throw new Error(`${server.received.length} letters came, not one`)
      return mail
    },
    /** As though the pauses between attempts were over. */
    wait: () => db.mail.updateMany({ data: { nextAt: new Date(0) } }),
    async close() {
      await server.close()
      await berth.close()
    },
  }
}
