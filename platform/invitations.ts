import { notFound, requireTeam, type Viewer } from './access.ts'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import { hurry, post } from './mail/outbox.ts'
import { mailLanguage } from './mail/texts.ts'
import { requireAtLeast } from './members.ts'
import { newId } from './model/ids.ts'
import { type InviteInput, inviteSchema, type JoinInput, joinSchema, type PageInput } from './model/inputs.ts'
import type { Invitation, Page, Team } from './model/resources.ts'
import { type Role, roleIncludes } from './model/roles.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { requireStrongPassword } from './password-strength.ts'
import { hashPassword } from './passwords.ts'
import { randomText, sha256 } from './secrets.ts'
import { getTeam } from './teams.ts'
import { validate } from './validate.ts'

const daysValid = 7
const mostOpen = 200

/**
 * Asks the person with an e-mail address into a team. Where e-mail is sent, a letter alone carries the link: whoever
 * holds it may make an account for the address, and sees whether there is one. Otherwise the answer does, to be passed
 * on. Only its hash is kept. An earlier invitation of the same address is replaced. Throws `forbidden` for a role above
 * the caller's, `conflict` for who is a member already.
 */
export async function invite(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  input: InviteInput,
): Promise<Invitation & { url: string | null; mailed: boolean }> {
  const own = await requireTeam(platform, viewer, teamId, 'invitation.create')
  const { email, role } = validate(inviteSchema, input)
  requireAtLeast(own, role, `invite somebody as ${role}`)
  const token = randomText(40)
  const url = `${platform.config.publicUrl}/join?token=${token}`
  const { row, mailId } = await platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM teams WHERE id = ${teamId} FOR UPDATE`
    if ((await tx.membership.count({ where: { teamId, user: { email } } })) > 0)
      throw new PlatformError('conflict', `${email} is a member of this team already.`)
    await tx.invitation.updateMany({ where: { teamId, email, ...open() }, data: { revokedAt: new Date() } })
    if ((await tx.invitation.count({ where: { teamId, ...open() } })) >= mostOpen)
      throw new PlatformError(
        'conflict',
        `A team has at most ${mostOpen} open invitations. Revoke some first.`,
      )
    const inviter = await inviterOf(tx, viewer)
    const invitation = await tx.invitation.create({
      data: {
        id: newId('invitation'),
        ...{ teamId, email, role },
        tokenHash: sha256(token),
        invitedBy: inviter.name,
        expiresAt: new Date(Date.now() + daysValid * 86_400_000),
      },
    })
    await record(tx, viewer, {
      teamId,
      action: 'invitation.create',
      target: { type: 'invitation', id: invitation.id, name: email },
      after: { email, role },
    })
    const team = await tx.team.findUniqueOrThrow({ where: { id: teamId }, select: { name: true } })
    const invited = await tx.user.findUnique({ where: { email }, select: { locale: true } })
    const letter = await post(platform, tx, {
      ...{ kind: 'invitation', to: email, expiresAt: invitation.expiresAt },
      language: mailLanguage(invited?.locale ?? inviter.locale),
      values: { team: team.name, by: inviter.name, url },
    })
    return { row: invitation, mailId: letter }
  })
  await hurry(platform, mailId)
  const mailed = mailId !== null
  return { ...showInvitation(row), url: mailed ? null : url, mailed }
}

interface Inviter {
  name: string
  locale: string | null
}

async function inviterOf(tx: Transaction, viewer: Viewer): Promise<Inviter> {
  if (viewer.kind === 'operator' || viewer.kind === 'system') return { name: 'Berth', locale: null }
  if (viewer.userId === null) return { name: 'A token of the team', locale: null }
  const select = { name: true, locale: true }
  return tx.user.findUniqueOrThrow({ where: { id: viewer.userId }, select })
}

/** Those that can still be accepted, newest first. */
export async function listInvitations(
  platform: Platform,
  viewer: Viewer,
  teamId: string,
  pageInput?: PageInput,
): Promise<Page<Invitation>> {
  await requireTeam(platform, viewer, teamId, 'invitation.read')
  const page = parsePage(pageInput)
  const rows = await platform.db.invitation.findMany({
    where: { teamId, ...open(), id: { lt: afterId(page) } },
    orderBy: { id: 'desc' },
    take: page.limit + 1,
  })
  return toPage(rows, page.limit, (row) => row.id, showInvitation)
}

/** Its link leads nowhere at once. */
export async function revokeInvitation(platform: Platform, viewer: Viewer, id: string): Promise<void> {
  const row = await platform.db.invitation.findFirst({ where: { id, ...open() } })
  if (row === null) throw notFound('invitation')
  await requireTeam(platform, viewer, row.teamId, 'invitation.revoke', 'invitation')
  await platform.db.$transaction(async (tx) => {
    await tx.invitation.updateMany({ where: { id, ...open() }, data: { revokedAt: new Date() } })
    await record(tx, viewer, {
      teamId: row.teamId,
      action: 'invitation.revoke',
      target: { type: 'invitation', id, name: row.email },
    })
  })
}

export interface OpenInvitation {
  teamName: string
  email: string
  role: Role
  invitedBy: string
  /** Whether the address has an account: then its owner signs in, and otherwise makes one. */
  hasAccount: boolean
}

/** What whoever holds the link may know; null when it was used, revoked, replaced, ran out or never was. */
export async function readInvitation(platform: Platform, token: string): Promise<OpenInvitation | null> {
  const row = await find(platform, token)
  if (row === null) return null
  const { email, role, invitedBy, team } = row
  const hasAccount = (await platform.db.user.count({ where: { email } })) > 0
  return { teamName: team.name, email, role, invitedBy, hasAccount }
}

/** For the signed-in person with the invited address. Throws `forbidden` for another, `gone` for a dead link. */
export async function acceptInvitation(platform: Platform, viewer: Viewer, token: string): Promise<Team> {
  if (viewer.kind !== 'user')
    throw new PlatformError('forbidden', 'Only a signed-in person can accept an invitation.')
  const user = await platform.db.user.findUniqueOrThrow({ where: { id: viewer.userId } })
  const row = await find(platform, token)
  if (row === null) throw dead()
  if (user.email !== row.email)
    throw new PlatformError(
      'forbidden',
      `This invitation is for ${row.email}, and you are signed in as ${user.email}.`,
    )
  await platform.db.$transaction((tx) => join(tx, viewer, token, user))
  return getTeam(platform, viewer, row.teamId)
}

/** Makes an account for the invited address and accepts. Throws `gone` for a dead link, `conflict` for a known address. */
export async function joinByInvitation(
  platform: Platform,
  input: JoinInput,
): Promise<{ userId: string; email: string; teamSlug: string }> {
  const { token, name, password } = validate(joinSchema, input)
  // Before the costly hash, so that strangers can't make the server work.
  const row = await find(platform, token)
  if (row === null) throw dead()
  const { email } = row
  await requireStrongPassword(password, [email, name])
  const passwordHash = await hashPassword(password)
  const user = { id: newId('user'), name }
  await platform.db.$transaction(async (tx) => {
    const { count } = await tx.user.createMany({
      data: { ...user, email, passwordHash },
      skipDuplicates: true,
    })
    if (count === 0)
      throw new PlatformError(
        'conflict',
        `${email} has an account already. Sign in, then follow the link again.`,
      )
    const viewer: Viewer = { kind: 'user', userId: user.id, sessionId: null }
    await record(tx, viewer, {
      teamId: null,
      action: 'user.create',
      target: { type: 'user', id: user.id, name },
      after: { name, email },
    })
    await join(tx, viewer, token, user)
  })
  return { userId: user.id, email, teamSlug: row.team.slug }
}

/** Of several who follow a link at once one joins; the others get `gone`. Who is a member already keeps the stronger role. */
async function join(
  tx: Transaction,
  viewer: Viewer,
  token: string,
  user: { id: string; name: string },
): Promise<void> {
  const tokenHash = sha256(token)
  const { count } = await tx.invitation.updateMany({
    where: { tokenHash, ...open() },
    data: { acceptedAt: new Date() },
  })
  if (count === 0) throw dead()
  const { teamId, role } = await tx.invitation.findUniqueOrThrow({ where: { tokenHash } })
  const where = { teamId_userId: { teamId, userId: user.id } }
  const present = await tx.membership.findUnique({ where })
  if (present === null) await tx.membership.create({ data: { teamId, userId: user.id, role } })
  else if (!roleIncludes(present.role, role)) await tx.membership.update({ where, data: { role } })
  await record(tx, viewer, {
    teamId,
    action: 'invitation.accept',
    target: { type: 'user', id: user.id, name: user.name },
    before: present === null ? undefined : { role: present.role },
    after: { role: present === null || !roleIncludes(present.role, role) ? role : present.role },
  })
}

function find(platform: Platform, token: string) {
  return platform.db.invitation.findFirst({
    where: { tokenHash: sha256(token), ...open(), team: { deletedAt: null } },
    include: { team: { select: { name: true, slug: true } } },
  })
}

function open() {
  return { acceptedAt: null, revokedAt: null, expiresAt: { gt: new Date() } }
}

function dead(): PlatformError {
  return new PlatformError(
    'gone',
    'This invitation was used, was revoked, or has run out. Ask for a new one.',
  )
}

function showInvitation(row: {
  id: string
  email: string
  role: Role
  invitedBy: string
  createdAt: Date
  expiresAt: Date
}): Invitation {
  return {
    id: row.id,
    email: row.email,
    role: row.role,
    invitedBy: row.invitedBy,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
  }
}
