import { notFound, requireInstallation, type Viewer } from '../access.ts'
import { record } from '../audit.ts'
import { type Facts, Masked } from '../audit-changes.ts'
import { PlatformError } from '../errors.ts'
import {
  type CreateProviderInput,
  createProviderSchema,
  type SignInProvider,
  type UpdateProviderInput,
  updateProviderSchema,
  usualIssuers,
} from '../model/sign-in-settings.ts'
import type { Platform } from '../open.ts'
import { seal, unseal } from '../secrets.ts'
import { validate } from '../validate.ts'
import { discover, forgetDiscovery, signatureOf } from './discovery.ts'
import { OutboundError, requireAllowed } from './outbound.ts'

/** A secret that was given for one issuer opens for no other. */
const context = ({ id, issuer }: { id: string; issuer: string }) => `sign-in:${id}:${issuer}`

type Row = Awaited<ReturnType<typeof findRow>>

/** In the order in which they were added. Secrets are told to nobody. */
export async function listProviders(platform: Platform, viewer: Viewer): Promise<SignInProvider[]> {
  await requireInstallation(platform, viewer, 'installation.read-sign-in')
  const rows = await platform.db.signInProvider.findMany({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] })
  return Promise.all(rows.map((row) => show(platform, row)))
}

/**
 * Throws `conflict` for an id that is taken, `invalid` for an issuer that can't be asked or is not what it says: a
 * provider that can't work is not taken in.
 */
export async function createProvider(
  platform: Platform,
  viewer: Viewer,
  input: CreateProviderInput,
): Promise<SignInProvider> {
  await requireInstallation(platform, viewer, 'installation.change-sign-in')
  const { clientSecret, issuer: given, ...rest } = validate(createProviderSchema, input)
  const issuer = given ?? usualIssuers[rest.kind]
  if (issuer === null) throw invalid('issuer', 'is needed')
  const provider = { ...rest, issuer: issuerOf(rest.kind, issuer) }
  await requireWorking(platform, provider)
  const sealedSecret = seal(platform.keyring, clientSecret, context(provider))
  await platform.db.$transaction(async (tx) => {
    const { count } = await tx.signInProvider.createMany({
      data: { ...provider, sealedSecret },
      skipDuplicates: true,
    })
    if (count === 0) throw new PlatformError('conflict', `There is a provider ${provider.id} already.`)
    await record(tx, viewer, {
      ...{ teamId: null, action: 'installation.add-provider', target: targetOf(provider) },
      after: factsOf({ ...provider, sealedSecret }),
    })
  })
  return show(platform, await findRow(platform, provider.id))
}

/** Throws as createProvider() does, `not-found`, and `invalid` for a new issuer without its secret. */
export async function updateProvider(
  platform: Platform,
  viewer: Viewer,
  id: string,
  input: UpdateProviderInput,
): Promise<SignInProvider> {
  await requireInstallation(platform, viewer, 'installation.change-sign-in')
  const { clientSecret, ...change } = validate(updateProviderSchema, input)
  const before = await findRow(platform, id)
  const after = { ...before, ...defined(change) }
  after.issuer = issuerOf(after.kind, after.issuer)
  if (after.issuer !== before.issuer && clientSecret === undefined)
    throw invalid('clientSecret', 'is needed for a new issuer')
  if (after.issuer !== before.issuer || after.allowsPrivate !== before.allowsPrivate)
    await requireWorking(platform, after)
  if (clientSecret !== undefined) after.sealedSecret = seal(platform.keyring, clientSecret, context(after))
  const { updatedAt: _, createdAt: __, id: ___, ...data } = after
  await platform.db.$transaction(async (tx) => {
    const { count } = await tx.signInProvider.updateMany({ where: { id }, data })
    if (count === 0) throw notFound('provider')
    await record(tx, viewer, {
      ...{ teamId: null, action: 'installation.change-provider', target: targetOf(after) },
      ...{ before: factsOf(before), after: factsOf(after) },
    })
  })
  return show(platform, await findRow(platform, id))
}

/**
 * Nobody signs in by way of it any more. Identities stay, and count again when the same issuer is added again. Throws
 * `conflict` while somebody has no other way to sign in.
 */
export async function deleteProvider(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  await requireInstallation(platform, viewer, 'installation.change-sign-in')
  const row = await findRow(platform, id)
  await platform.db.$transaction(async (tx) => {
    await tx.signInProvider.deleteMany({ where: { id } })
    const left = await tx.signInProvider.findMany({ select: { issuer: true } })
    const issuers = left.map(({ issuer }) => issuer)
    const stranded = await tx.user.count({
      where: {
        ...{ passwordHash: null, disabledAt: null },
        AND: [
          { identities: { some: { issuer: row.issuer } } },
          { identities: { none: { issuer: { in: issuers } } } },
        ],
      },
    })
    if (stranded > 0)
      throw new PlatformError(
        'conflict',
        `${stranded === 1 ? 'One account has' : `${stranded} accounts have`} no other way to sign in. Make links for new passwords first.`,
      )
    await record(tx, viewer, {
      ...{ teamId: null, action: 'installation.remove-provider', target: targetOf(row) },
      before: factsOf(row),
    })
  })
}

/** What the sign-in page shows to everybody. */
export async function listSignInWays(
  platform: Platform,
): Promise<{ id: string; kind: SignInProvider['kind']; name: string }[]> {
  return platform.db.signInProvider.findMany({
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    select: { id: true, kind: true, name: true },
  })
}

export type OpenProvider = Omit<Row, 'sealedSecret'> & { clientSecret: string }

/** With its secret, for whoever talks to it; null where there is none. */
export async function openProvider(platform: Platform, id: string): Promise<OpenProvider | null> {
  const row = await platform.db.signInProvider.findUnique({ where: { id } })
  if (row === null) return null
  const { sealedSecret, ...provider } = row
  return { ...provider, clientSecret: unseal(platform.keyring, sealedSecret, context(row)) }
}

async function findRow(platform: Platform, id: string) {
  const row = await platform.db.signInProvider.findUnique({ where: { id } })
  if (row === null) throw notFound('provider')
  return row
}

/** GitHub has no issuer of its own: the address of the site stands for it. */
function issuerOf(kind: SignInProvider['kind'], issuer: string): string {
  return kind === 'github' ? new URL(issuer).origin : issuer
}

async function requireWorking(
  { config }: Platform,
  { kind, issuer, allowsPrivate }: Pick<SignInProvider, 'kind' | 'issuer' | 'allowsPrivate'>,
): Promise<void> {
  const rules = { config, allowsPrivate }
  try {
    if (kind === 'github') return await requireAllowed(issuer, rules)
    forgetDiscovery()
    signatureOf(await discover(issuer, rules))
  } catch (error) {
    if (error instanceof OutboundError) throw invalid('issuer', `can’t be used: ${error.message}`)
    throw error
  }
}

async function show(platform: Platform, row: Row): Promise<SignInProvider> {
  const { sealedSecret: _, updatedAt: __, createdAt, ...provider } = row
  return {
    ...provider,
    callbackUrl: `${platform.config.publicUrl}/api/auth/callback/${row.id}`,
    identities: await platform.db.identity.count({ where: { issuer: row.issuer } }),
    createdAt: createdAt.toISOString(),
  }
}

function targetOf({ id, name }: { id: string; name: string }) {
  return { type: 'sign-in-provider', id, name }
}

function factsOf(provider: Omit<Row, 'createdAt' | 'updatedAt'>): Facts {
  const { sealedSecret, name, kind, issuer, clientId, ...rules } = provider
  const { letsRegister, trustsEmail, linksByEmail, allowsPrivate } = rules
  return {
    ...{ name, kind, issuer, clientId, letsRegister, trustsEmail, linksByEmail, allowsPrivate },
    clientSecret: new Masked(sealedSecret),
  }
}

function defined<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>
}

function invalid(path: string, message: string): PlatformError {
  return new PlatformError('invalid', `${path}: ${message}.`, { fields: [{ path, message }] })
}
