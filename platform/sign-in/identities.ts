import { notFound, requireInstallation, type Viewer } from '../access.ts'
import { requirePassword, requirePerson } from '../account.ts'
import { record } from '../audit.ts'
import type { Transaction } from '../database.ts'
import { PlatformError } from '../errors.ts'
import { newId } from '../model/ids.ts'
import { type ProofInput, proofSchema } from '../model/inputs.ts'
import { displayNameSchema, emailSchema } from '../model/names.ts'
import type { Identity } from '../model/sign-in-settings.ts'
import type { Platform } from '../open.ts'
import type { Origin } from '../origin.ts'
import { randomText, sha256 } from '../secrets.ts'
import { enter, type SignedIn } from '../sessions.ts'
import { validate } from '../validate.ts'
import type { OpenProvider } from './providers.ts'
import { mayRegister } from './registration.ts'

/** Somebody, as a provider told of him after all checks of the protocol. */
export interface Claims {
  subject: string
  email?: string | undefined
  emailVerified: boolean
  name?: string | undefined
}

/** Why an identity opens no account. The sign-in page has words for each. */
export type IdentityRefusal =
  | 'email-unverified'
  | 'account-exists'
  | 'registration-closed'
  | 'suspended'
  | 'identity-taken'

export class IdentityRefused extends PlatformError {
  readonly reason: IdentityRefusal

  constructor(reason: IdentityRefusal) {
    super('forbidden', `This identity opens no account: ${reason}.`)
    this.reason = reason
  }
}

/**
 * Signs in with an identity: the account that it is linked to; else one that it may be linked to or that may be made. An
 * equal address alone links nothing, unless the administrator said so of the provider and the address is verified. Throws
 * IdentityRefused, and SecondStep where the account asks for a code.
 */
export async function enterWithIdentity(
  platform: Platform,
  provider: OpenProvider,
  claims: Claims,
  origin: Origin,
): Promise<SignedIn> {
  const userId = await platform.db.$transaction(async (tx) => {
    const { issuer } = provider
    const { subject } = claims
    const known = await tx.identity.findUnique({
      where: { issuer_subject: { issuer, subject } },
      include: { user: { select: { id: true, disabledAt: true } } },
    })
    if (known !== null) {
      if (known.user.disabledAt !== null) throw new IdentityRefused('suspended')
      await tx.identity.update({
        where: { id: known.id },
        data: { lastUsedAt: new Date(), email: claims.email ?? null },
      })
      return known.user.id
    }
    return firstSignIn(platform, tx, provider, claims)
  })
  return enter(platform, userId, origin)
}

async function firstSignIn(
  platform: Platform,
  tx: Transaction,
  provider: OpenProvider,
  claims: Claims,
): Promise<string> {
  const email = verifiedEmail(provider, claims)
  if (email === null) throw new IdentityRefused('email-unverified')
  const present = await tx.user.findUnique({ where: { email } })
  if (present !== null) {
    if (!provider.linksByEmail) throw new IdentityRefused('account-exists')
    if (present.disabledAt !== null) throw new IdentityRefused('suspended')
    await link(tx, { provider, claims, user: present })
    return present.id
  }
  if (!provider.letsRegister && !(await mayRegister(tx, email)))
    throw new IdentityRefused('registration-closed')
  const user = { id: newId('user'), name: nameOf(claims, email) }
  const { count } = await tx.user.createMany({ data: { ...user, email }, skipDuplicates: true })
  if (count === 0) throw new IdentityRefused('account-exists')
  await record(
    tx,
    { kind: 'user', userId: user.id, sessionId: null },
    {
      ...{ teamId: null, action: 'user.create', target: { type: 'user', id: user.id, name: user.name } },
      ...{ after: { name: user.name, email }, detail: { provider: provider.id } },
    },
  )
  await link(tx, { provider, claims, user })
  platform.log.info({ user: user.id, provider: provider.id }, 'an account was made at the first sign-in')
  return user.id
}

/** Null where nobody vouches for it: whoever types an address in somewhere does not own it. */
function verifiedEmail(provider: OpenProvider, { email, emailVerified }: Claims): string | null {
  if (!emailVerified && !provider.trustsEmail) return null
  const parsed = emailSchema.safeParse(email)
  return parsed.success ? parsed.data : null
}

function nameOf({ name }: Claims, email: string): string {
  const parsed = displayNameSchema.safeParse(name?.replace(/[\p{Cc}\p{Cf}]/gu, '').slice(0, 80))
  return parsed.success ? parsed.data : (email.split('@')[0]?.slice(0, 80) ?? 'Member')
}

async function link(
  tx: Transaction,
  { provider, claims, user }: { provider: OpenProvider; claims: Claims; user: { id: string; name: string } },
): Promise<void> {
  const { count } = await tx.identity.createMany({
    data: {
      id: newId('identity'),
      userId: user.id,
      issuer: provider.issuer,
      subject: claims.subject,
      email: claims.email ?? null,
    },
    skipDuplicates: true,
  })
  if (count === 0) throw new IdentityRefused('identity-taken')
  await record(
    tx,
    { kind: 'user', userId: user.id, sessionId: null },
    {
      ...{
        teamId: null,
        action: 'user.link-identity',
        target: { type: 'user', id: user.id, name: user.name },
      },
      detail: { provider: provider.id, issuer: provider.issuer, email: claims.email ?? null },
    },
  )
}

/** The caller's own, oldest first. */
export async function listIdentities(platform: Platform, viewer: Viewer): Promise<Identity[]> {
  await requireInstallation(platform, viewer, 'account.manage-own')
  const { userId } = await requirePerson(platform, viewer)
  const [rows, providers] = await Promise.all([
    platform.db.identity.findMany({ where: { userId }, orderBy: { id: 'asc' } }),
    platform.db.signInProvider.findMany({ select: { issuer: true, name: true } }),
  ])
  const names = new Map(providers.map(({ issuer, name }) => [issuer, name]))
  return rows.map(({ id, issuer, email, createdAt, lastUsedAt }) => ({
    ...{ id, provider: names.get(issuer) ?? issuer, email },
    ...{ createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt.toISOString() },
  }))
}

/** Throws `conflict` for the last way to sign in. */
export async function unlinkIdentity(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  const { userId } = await requirePerson(platform, viewer)
  await platform.db.$transaction(async (tx) => {
    // Two at once must not each be the last but one.
    await tx.$executeRaw`SELECT 1 FROM users WHERE id = ${userId} FOR UPDATE`
    const row = await tx.identity.findFirst({ where: { id, userId } })
    if (row === null) throw notFound('identity')
    const user = await tx.user.findUniqueOrThrow({ where: { id: userId } })
    const providers = await tx.signInProvider.findMany({ select: { issuer: true } })
    const others = await tx.identity.count({
      where: { userId, id: { not: id }, issuer: { in: providers.map(({ issuer }) => issuer) } },
    })
    if (user.passwordHash === null && others === 0)
      throw new PlatformError(
        'conflict',
        'This is the only way to sign in to your account. Ask for a password with “Forgot your password?” first.',
      )
    await tx.identity.delete({ where: { id } })
    await record(tx, viewer, {
      ...{
        teamId: null,
        action: 'user.unlink-identity',
        target: { type: 'user', id: userId, name: user.name },
      },
      detail: { issuer: row.issuer, email: row.email },
    })
  })
}

export const linkSeconds = 600

const keyOf = (ticket: string) => `berth:link-identity:${sha256(ticket)}`

/**
 * A ticket for the browser, with which the next identity that comes back from the provider is linked to the caller's
 * account. Needs the password, where there is one: an open session alone must not open the account for ever.
 */
export async function beginLink(
  platform: Platform,
  viewer: Viewer,
  providerId: string,
  input: ProofInput,
): Promise<{ ticket: string }> {
  const { userId, sessionId } = await requirePerson(platform, viewer)
  if ((await platform.db.signInProvider.count({ where: { id: providerId } })) === 0)
    throw notFound('provider')
  await requirePassword(platform, userId, validate(proofSchema, input).password)
  const ticket = randomText(40)
  const value = `${userId} ${sessionId} ${providerId}`
  await platform.redis.set(keyOf(ticket), value, 'EX', linkSeconds)
  return { ticket }
}

/**
 * Links an identity that just came back, if the ticket is of this session and for this provider; answers whether it was.
 * A ticket works once. Throws IdentityRefused for an identity of another account.
 */
export async function linkIdentity(
  platform: Platform,
  viewer: Viewer | null,
  provider: OpenProvider,
  { ticket, claims }: { ticket: string; claims: Claims },
): Promise<boolean> {
  const value = await platform.redis.getdel(keyOf(ticket))
  if (viewer?.kind !== 'user' || value !== `${viewer.userId} ${viewer.sessionId} ${provider.id}`) return false
  await platform.db.$transaction(async (tx) => {
    const { issuer } = provider
    const { subject } = claims
    const known = await tx.identity.findUnique({ where: { issuer_subject: { issuer, subject } } })
    if (known?.userId === viewer.userId) return
    if (known !== null) throw new IdentityRefused('identity-taken')
    const user = await tx.user.findUniqueOrThrow({ where: { id: viewer.userId } })
    await link(tx, { provider, claims, user })
  })
  return true
}
