import type { Transaction } from '../database.ts'
import { enqueue } from '../jobs.ts'
import { newId } from '../model/ids.ts'
import type { Platform } from '../open.ts'
import { seal, unseal } from '../secrets.ts'
import { openAccount, readStoredAccount } from './account.ts'
import { type MailKind, type MailLanguage, type MailValues, writeLetter } from './texts.ts'
import { MailFailure, sendLetter } from './transport.ts'

export interface Post<Kind extends MailKind> {
  kind: Kind
  to: string
  language: MailLanguage
  values: MailValues[Kind]
  /** Nobody has any use for it afterwards. */
  expiresAt: Date
}

const context = (id: string) => `mail:${id}`

/**
 * Puts a letter into the outbox, in the transaction that has it sent: what is there is sent, however long the mail server
 * is away, until it is of no use. Answers its id, for hurry() after the transaction; null where no e-mail is sent.
 */
export async function post<Kind extends MailKind>(
  platform: Platform,
  tx: Transaction,
  { kind, to, language, values, expiresAt }: Post<Kind>,
): Promise<string | null> {
  if ((await readStoredAccount(tx)) === null) return null
  const id = newId('mail')
  const sealed = seal(platform.keyring, JSON.stringify(writeLetter(kind, language, values)), context(id))
  await tx.mail.create({ data: { id, kind, recipient: to, sealed, expiresAt } })
  return id
}

/** Has it sent now rather than at the worker's next round. Never throws, and waits for no mail server. */
export async function hurry(platform: Platform, mailId: string | null): Promise<void> {
  if (mailId !== null) await enqueue(platform, platform.config.hostId, 'send-mail', { mailId })
}

/** As long as one attempt may take, and a little more: another one is not begun meanwhile. */
const claimMs = 60_000
const longestPauseMs = 15 * 60_000

/**
 * One attempt at one letter, if it is due and nobody else is at it. Throws MailFailure where it is to be tried again; what
 * will never be taken is given up, with the reason kept.
 */
export async function deliver(platform: Platform, id: string, signal?: AbortSignal): Promise<void> {
  const now = new Date()
  const { count } = await platform.db.mail.updateMany({
    where: { id, sealed: { not: null }, nextAt: { lte: now } },
    data: { nextAt: new Date(now.getTime() + claimMs), attempts: { increment: 1 } },
  })
  if (count === 0) return
  const mail = await platform.db.mail.findUniqueOrThrow({ where: { id } })
  if (mail.sealed === null) return
  try {
    if (mail.expiresAt <= now)
      throw new MailFailure(`It was of no use any more. ${mail.failure ?? ''}`.trim(), { isTemporary: false })
    const account = await openAccount(platform)
    if (account === null) throw new MailFailure('No mail server is configured.', { isTemporary: true })
    const letter = JSON.parse(unseal(platform.keyring, mail.sealed, context(id)))
    await sendLetter(account, { id, to: mail.recipient, ...letter }, signal)
    await platform.db.mail.update({
      where: { id },
      data: { sealed: null, sentAt: new Date(), failure: null },
    })
  } catch (error) {
    if (!(error instanceof MailFailure)) throw error
    const pauseMs = Math.min(500 * 2 ** Math.min(mail.attempts - 1, 20), longestPauseMs)
    const next = { nextAt: new Date(Date.now() + pauseMs) }
    await platform.db.mail.update({
      where: { id },
      data: { failure: error.message, ...(error.isTemporary ? next : { sealed: null }) },
    })
    if (error.isTemporary) throw error
    platform.log.warn({ mail: id, kind: mail.kind, reason: error.message }, 'a letter will never be sent')
  }
}

const keptDays = 30

/** For the worker, now and then: what the queue lost is asked for again, and what is old is forgotten. */
export async function hurryDueMail(platform: Platform): Promise<void> {
  const now = new Date()
  const due = await platform.db.mail.findMany({
    where: { sealed: { not: null }, nextAt: { lte: now } },
    orderBy: { nextAt: 'asc' },
    take: 200,
    select: { id: true },
  })
  for (const { id } of due) await hurry(platform, id)
  const old = new Date(now.getTime() - keptDays * 86_400_000)
  await platform.db.mail.deleteMany({ where: { sealed: null, createdAt: { lt: old } } })
}
