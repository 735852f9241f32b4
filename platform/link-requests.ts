import { PlatformError } from './errors.ts'
import { enqueue } from './jobs.ts'
import { isMailOn } from './mail/account.ts'
import { hurry, post } from './mail/outbox.ts'
import { mailLanguage } from './mail/texts.ts'
import { newId } from './model/ids.ts'
import { type AskLinkInput, askLinkSchema } from './model/inputs.ts'
import type { Platform } from './open.ts'
import { networkOf, type Origin } from './origin.ts'
import { countAttempt } from './rate-limit.ts'
import { randomText, sha256 } from './secrets.ts'
import { validate } from './validate.ts'

const lives = { reset: 3_600_000, register: 86_400_000 }

type LinkKind = keyof typeof lives

/** By who asks; and, told to nobody, by whom letters go to: a mailbox must not be flooded by way of us. */
const byNetwork = { name: 'link:network', limit: 20, windowSeconds: 3_600 }
const byPair = { name: 'link:pair', limit: 5, windowSeconds: 3_600 }
const byAddress = { name: 'link:address', limit: 10, windowSeconds: 3_600 }

/**
 * “Forgot your password?” The same answer after the same work for a known and an unknown address: who it is, is looked up
 * by the worker, later. Throws `conflict` where no e-mail is sent, `rate-limited`.
 */
export async function askReset(platform: Platform, input: AskLinkInput, origin: Origin): Promise<void> {
  await requireMail(platform)
  await ask(platform, 'reset', validate(askLinkSchema, input), origin)
}

/** Throws `conflict`. */
export async function requireMail(platform: Platform): Promise<void> {
  if (await isMailOn(platform)) return
  throw new PlatformError('conflict', 'This Berth sends no e-mail. Ask an administrator for a link.')
}

/** Writes down who asked. Who calls has made sure that it may be asked for. */
export async function ask(
  platform: Platform,
  kind: LinkKind,
  { email, locale }: { email: string; locale?: string | undefined },
  { address }: Origin,
): Promise<void> {
  const network = networkOf(address)
  await countAttempt(platform, byNetwork, network)
  await countAttempt(platform, byPair, `${kind}:${sha256(email)}:${network}`)
  const isFlood = await countAttempt(platform, byAddress, `${kind}:${sha256(email)}`).then(
    () => false,
    () => true,
  )
  const requestId = newId('linkRequest')
  await platform.db.linkRequest.create({
    data: {
      ...{ id: requestId, kind, email, locale: mailLanguage(locale) },
      expiresAt: new Date(Date.now() + lives[kind]),
      ...(isFlood ? { failure: 'Too many letters went to this address.' } : {}),
    },
  })
  await enqueue(platform, platform.config.hostId, 'answer-link-request', { requestId })
}

/** For the worker: has the letter sent, if one is to be. May be called twice. */
export async function answerLinkRequest(platform: Platform, requestId: string): Promise<void> {
  const mailId = await platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM link_requests WHERE id = ${requestId} FOR UPDATE`
    const request = await tx.linkRequest.findFirst({ where: { id: requestId, ...unanswered() } })
    if (request === null) return null
    const { kind, email, expiresAt } = request
    const user = await tx.user.findUnique({ where: { email } })
    const letter = { to: email, language: mailLanguage(user?.locale ?? request.locale), expiresAt }
    const answered = { sentAt: new Date(), userId: user?.id ?? null }
    if (user !== null && user.disabledAt !== null) {
      await tx.linkRequest.update({
        where: { id: requestId },
        data: { failure: 'The account is suspended.' },
      })
      return null
    }
    if (kind === 'reset' && user === null) {
      await tx.linkRequest.update({
        where: { id: requestId },
        data: { failure: 'There is no such account.' },
      })
      return null
    }
    const { publicUrl } = platform.config
    if (kind === 'register' && user !== null) {
      await tx.linkRequest.update({ where: { id: requestId }, data: answered })
      const values = { signInUrl: `${publicUrl}/sign-in`, resetUrl: `${publicUrl}/forgot` }
      return post(platform, tx, { kind: 'has-account', ...letter, values })
    }
    const token = randomText(40)
    await tx.linkRequest.update({
      where: { id: requestId },
      data: { ...answered, tokenHash: sha256(token) },
    })
    const url = `${publicUrl}/${kind}?token=${token}`
    return post(platform, tx, { kind, ...letter, values: { url } })
  })
  await hurry(platform, mailId)
}

const keptDays = 30

/** For the worker, now and then: as hurryDueMail() does for letters. */
export async function hurryLinkRequests(platform: Platform): Promise<void> {
  const open = await platform.db.linkRequest.findMany({
    where: unanswered(),
    orderBy: { id: 'asc' },
    take: 200,
    select: { id: true },
  })
  for (const { id } of open)
    await enqueue(platform, platform.config.hostId, 'answer-link-request', { requestId: id })
  const old = new Date(Date.now() - keptDays * 86_400_000)
  await platform.db.linkRequest.deleteMany({ where: { expiresAt: { lt: old } } })
}

function unanswered() {
  return { tokenHash: null, sentAt: null, failure: null, expiresAt: { gt: new Date() } }
}
