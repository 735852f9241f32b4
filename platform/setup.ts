import { requireInstallation, type Viewer } from './access.ts'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import { newId } from './model/ids.ts'
import { type ClaimInput, claimSchema } from './model/inputs.ts'
import { insertTeam } from './new-team.ts'
import type { Platform } from './open.ts'
import { requireStrongPassword } from './password-strength.ts'
import { hashPassword } from './passwords.ts'
import { randomText, sha256 } from './secrets.ts'
import { validate } from './validate.ts'

const id = 'installation'

/**
 * A new one-time link; earlier ones stop working. Only its hash is kept.
 * Throws `gone` when the installation has an owner, `forbidden` to anybody but the operator.
 */
export async function createSetupLink(platform: Platform, viewer: Viewer): Promise<{ url: string }> {
  await requireInstallation(platform, viewer, 'installation.create-setup-link')
  const token = randomText(40)
  await platform.db.$transaction(async (tx) => {
    await tx.installation.createMany({ data: { id }, skipDuplicates: true })
    const { count } = await tx.installation.updateMany({
      where: { id, claimedAt: null },
      data: { setupTokenHash: sha256(token) },
    })
    if (count === 0) throw claimed()
    await record(tx, viewer, { teamId: null, action: 'installation.create-setup-link' })
  })
  return { url: `${platform.config.publicUrl}/setup?token=${token}` }
}

export async function checkSetupToken(
  platform: Platform,
  token: string,
): Promise<'valid' | 'unknown' | 'claimed'> {
  const installation = await platform.db.installation.findUnique({ where: { id } })
  if (installation !== null && installation.claimedAt !== null) return 'claimed'
  return installation !== null && installation.setupTokenHash === sha256(token) ? 'valid' : 'unknown'
}

/**
 * Makes whoever holds the link administrator, and owner of every team that is there (of a first one when none is). The
 * first team gets the name that was given; its slug is part of addresses and stays.
 * Of several at once exactly one wins; the others get `gone`. A wrong token is `not-found`.
 */
export async function claimInstallation(platform: Platform, input: ClaimInput): Promise<{ userId: string }> {
  const { token, name, team: teamName, email, password } = validate(claimSchema, input)
  // Before the costly hash, so that strangers can't make the server work.
  refuse(await checkSetupToken(platform, token))
  await requireStrongPassword(password, [email, name])
  const passwordHash = await hashPassword(password)
  const userId = newId('user')
  await platform.db.$transaction(async (tx) => {
    const { count } = await tx.installation.updateMany({
      where: { id, claimedAt: null, setupTokenHash: sha256(token) },
      data: { claimedAt: new Date(), setupTokenHash: null },
    })
    if (count === 0) throw claimed()
    await tx.user.create({ data: { id: userId, email, name, passwordHash, isAdmin: true } })
    for (const team of await teamsToOwn(tx, teamName)) {
      await tx.membership.create({ data: { teamId: team.id, userId, role: 'owner' } })
    }
    const viewer: Viewer = { kind: 'user', userId, sessionId: null }
    await record(tx, viewer, {
      teamId: null,
      action: 'installation.claim',
      target: { type: 'user', id: userId, name },
      after: { name, email, isAdmin: true },
    })
  })
  return { userId }
}

/** What the set-up form proposes: the name that the first team has, or is to have. */
export async function firstTeamName(platform: Platform): Promise<string> {
  const first = await platform.db.team.findFirst({ where: { deletedAt: null }, orderBy: { id: 'asc' } })
  return first?.name ?? 'Main'
}

async function teamsToOwn(tx: Transaction, name: string | undefined): Promise<{ id: string }[]> {
  const teams = await tx.team.findMany({
    where: { deletedAt: null },
    orderBy: { id: 'asc' },
    select: { id: true },
  })
  const [first] = teams
  if (first === undefined) {
    return [await insertTeam(tx, { name: name ?? 'Main', slug: 'main' })]
  }
  if (name !== undefined) await tx.team.update({ where: { id: first.id }, data: { name } })
  return teams
}

function refuse(answer: 'valid' | 'unknown' | 'claimed'): void {
  if (answer === 'claimed') throw claimed()
  if (answer === 'unknown') {
    throw new PlatformError(
      'not-found',
      'This set-up link is not the latest one. `berth up` prints a new one.',
    )
  }
}

function claimed(): PlatformError {
  return new PlatformError('gone', 'This installation has an owner already. Sign in instead.')
}
