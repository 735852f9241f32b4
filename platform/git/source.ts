import type { Viewer } from '../access.ts'
import { notFound } from '../access.ts'
import { type AppPlace, appAccess } from '../app-access.ts'
import { record } from '../audit.ts'
import { type Facts, Masked } from '../audit-changes.ts'
import { PlatformError } from '../errors.ts'
import type { GitSource as Row } from '../generated/prisma/client.ts'
import type { AuditAction } from '../model/audit-actions.ts'
import { commitSchema } from '../model/builds.ts'
import {
  forges,
  type GitRef,
  type GitSource,
  type GitSourceInput,
  gitSourceInputSchema,
  lookResults,
} from '../model/git-source.ts'
import type { Platform } from '../open.ts'
import { seal } from '../secrets.ts'
import { validate } from '../validate.ts'
import { AddressProblem, authorityOf, normalizeAddress, reachableAddresses, UnknownHost } from './address.ts'
import { keyContext, tokenContext } from './remote.ts'
import { fingerprintOf, makeDeployKey } from './ssh-key.ts'
import { hookUrl } from './webhooks/hooks.ts'

/** Null: the app's source is not in Git. Neither token nor private key is told. */
export async function readGitSource(
  platform: Platform,
  viewer: Viewer,
  appId: string,
): Promise<GitSource | null> {
  await appAccess(platform, viewer, appId, 'git-source.read')
  const row = await platform.db.gitSource.findUnique({ where: { appId } })
  return row === null ? null : showGitSource(platform, row)
}

/**
 * Says where an app's source is. What is kept of a token and of the host's keys goes when the host is another: they are
 * nobody else's business. Throws `invalid` with the field.
 */
export async function setGitSource(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: GitSourceInput,
): Promise<GitSource> {
  const place = await appAccess(platform, viewer, appId, 'git-source.write')
  const { address: given, ref, token, hostKeys, ...plain } = validate(gitSourceInputSchema, input)
  const address = await checkedAddress(platform, given)
  const isSsh = address.startsWith('ssh:')
  if (isSsh && typeof token === 'string')
    throw invalid('token', 'belongs to https addresses: ssh signs in with the deploy key')
  const row = await platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM apps WHERE id = ${appId} FOR UPDATE`
    const before = await tx.gitSource.findUnique({ where: { appId } })
    const isSame = before !== null && authorityOf(before.address) === authorityOf(address)
    const kept = isSame ? before : null
    const keyed = isSsh && before?.sealedKey == null ? newKey(platform, place) : {}
    const data = {
      ...{ address, refKind: ref.kind, refName: ref.name, ...plain, ...keyed },
      sealedToken:
        token === undefined
          ? isSsh
            ? null
            : (kept?.sealedToken ?? null)
          : token === null
            ? null
            : seal(platform.keyring, token, tokenContext(appId)),
      hostKeys: isSsh ? (hostKeys ?? kept?.hostKeys ?? []) : [],
      ...(isSameRef(before, { address, ref }) ? {} : { headSha: null, pushedAt: null }),
      ...{ lookAt: plain.pollSeconds === null ? null : new Date(), lookFailures: 0, lookProblem: null },
    }
    const after = await tx.gitSource.upsert({ where: { appId }, create: { appId, ...data }, update: data })
    await record(tx, viewer, {
      ...entryOf(place, 'git-source.set'),
      before: before === null ? undefined : factsOf(before),
      after: factsOf(after),
    })
    return after
  })
  return showGitSource(platform, row)
}

/** The one that the forge knows lets nobody in any more. Throws `not-found` where there is no source. */
export async function renewDeployKey(platform: Platform, viewer: Viewer, appId: string): Promise<GitSource> {
  const place = await appAccess(platform, viewer, appId, 'git-source.write')
  const row = await platform.db.$transaction(async (tx) => {
    const before = await tx.gitSource.findUnique({ where: { appId } })
    if (before === null) throw notFound('Git source')
    if (!before.address.startsWith('ssh:'))
      throw new PlatformError('conflict', 'The source is fetched by https, which needs no deploy key.')
    const after = await tx.gitSource.update({ where: { appId }, data: newKey(platform, place) })
    await record(tx, viewer, {
      ...entryOf(place, 'git-source.renew-key'),
      before: factsOf(before),
      after: factsOf(after),
    })
    return after
  })
  return showGitSource(platform, row)
}

/** Its token and its key are forgotten; what was deployed runs on. */
export async function removeGitSource(platform: Platform, viewer: Viewer, appId: string): Promise<void> {
  const place = await appAccess(platform, viewer, appId, 'git-source.write')
  await platform.db.$transaction(async (tx) => {
    const before = await tx.gitSource.findUnique({ where: { appId } })
    if (before === null) throw notFound('Git source')
    await tx.gitSource.delete({ where: { appId } })
    await record(tx, viewer, { ...entryOf(place, 'git-source.remove'), before: factsOf(before) })
  })
}

export function showGitSource(platform: Platform, row: Row): GitSource {
  const keyOf = (key: string) => ({ key, fingerprint: fingerprintOf(key) })
  const { success, data: commit } = commitSchema.safeParse(row.commit)
  return {
    address: row.address,
    ref: refOf(row),
    username: row.username,
    hasToken: row.sealedToken !== null,
    ca: row.ca,
    deployKey: row.publicKey === null || !row.address.startsWith('ssh:') ? null : keyOf(row.publicKey),
    hostKeys: row.hostKeys.map(keyOf),
    commit: success ? commit : null,
    forge: forges.find((forge) => forge === row.forge) ?? null,
    ...{ autoDeploy: row.autoDeploy, watchPaths: row.watchPaths, pollSeconds: row.pollSeconds },
    webhook:
      row.hookId === null
        ? null
        : { url: hookUrl(platform, row.hookId), lastDeliveryAt: row.hookAt?.toISOString() ?? null },
    look:
      row.lookedAt === null
        ? null
        : {
            at: row.lookedAt.toISOString(),
            result: lookResults.find((result) => result === row.lookResult) ?? null,
            problem: row.lookProblem,
          },
  }
}

export function refOf({ refKind, refName }: Pick<Row, 'refKind' | 'refName'>): GitRef {
  return { kind: refKind, name: refName }
}

function isSameRef(before: Row | null, { address, ref }: { address: string; ref: GitRef }): boolean {
  return before?.address === address && before.refKind === ref.kind && before.refName === ref.name
}

async function checkedAddress(platform: Platform, given: string): Promise<string> {
  try {
    const address = normalizeAddress(given)
    await reachableAddresses(platform.config, address)
    return address
  } catch (error) {
    // Whoever writes it down may do so before the name is known.
    if (error instanceof UnknownHost) return normalizeAddress(given)
    if (error instanceof AddressProblem) throw invalid('address', error.message)
    throw error
  }
}

function newKey(platform: Platform, { appId, name }: AppPlace) {
  const { privateKey, publicKey } = makeDeployKey(`berth ${name}`.slice(0, 100))
  return { publicKey, sealedKey: seal(platform.keyring, privateKey, keyContext(appId)) }
}

function entryOf({ appId: id, name, teamId }: AppPlace, action: AuditAction) {
  return { teamId, action, target: { type: 'app' as const, id, name } }
}

function factsOf(row: Row): Facts {
  const { address, username, ca, hostKeys, publicKey, sealedToken } = row
  return {
    ...{ address, ref: `${row.refKind} ${row.refName}`, username, ca, hostKeys, forge: row.forge },
    ...{ autoDeploy: row.autoDeploy, watchPaths: row.watchPaths, pollSeconds: row.pollSeconds },
    deployKey: publicKey === null ? null : fingerprintOf(publicKey),
    token: sealedToken === null ? null : new Masked(sealedToken),
  }
}

function invalid(path: string, message: string): PlatformError {
  return new PlatformError('invalid', `${path}: ${message}`, { fields: [{ path, message }] })
}
