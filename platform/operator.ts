import { z } from 'zod'
import { notFound, requireInstallation, type Viewer } from './access.ts'
import { displayNameSchema, emailSchema } from './model/names.ts'
import type { Token } from './model/resources.ts'
import { roles } from './model/roles.ts'
import type { Platform } from './open.ts'
import { getTeam } from './teams.ts'
import { createToken } from './tokens.ts'
import { validate } from './validate.ts'

export interface InstallationStatus {
  /** Somebody followed the set-up link and owns the installation. */
  claimed: boolean
  users: number
  teams: number
  apps: number
  runningContainers: number
}

/** For whoever holds the installation's own token. Throws `forbidden` to others. */
export async function installationStatus(platform: Platform, viewer: Viewer): Promise<InstallationStatus> {
  await requireInstallation(platform, viewer, 'installation.read-status')
  const { db } = platform
  const [claimed, users, teams, apps, runningContainers] = await Promise.all([
    db.installation.count({ where: { claimedAt: { not: null } } }),
    db.user.count(),
    db.team.count({ where: { deletedAt: null } }),
    db.app.count({ where: { desiredState: { not: 'deleted' } } }),
    db.container.count({ where: { state: 'running' } }),
  ])
  return { claimed: claimed > 0, users, teams, apps, runningContainers }
}

export const createTokenForSchema = z
  .strictObject({
    name: displayNameSchema,
    /** The person whom it is for. */
    email: emailSchema.optional(),
    /** Id or slug of the team that it is for. */
    team: z.string().max(64).optional(),
    role: z.enum(roles).default('developer'),
  })
  .refine(({ email, team }) => email !== undefined || team !== undefined, {
    message: 'give email, team or both',
    path: ['email'],
  })

/**
 * A token for a person, for a team, or for a person in one team. Throws `not-found` for an unknown person or team,
 * `forbidden` to anybody but the operator and for a role above the person's own.
 */
export async function createTokenFor(
  platform: Platform,
  viewer: Viewer,
  input: z.input<typeof createTokenForSchema>,
): Promise<Token & { secret: string }> {
  await requireInstallation(platform, viewer, 'installation.create-token')
  const { name, email, team, role } = validate(createTokenForSchema, input)
  const teamId = team === undefined ? undefined : (await getTeam(platform, viewer, team)).id
  if (email === undefined) return createToken(platform, viewer, { name, teamId, role })
  const user = await platform.db.user.findUnique({ where: { email, disabledAt: null } })
  if (user === null) throw notFound('user')
  return createToken(platform, { kind: 'user', userId: user.id, sessionId: null }, { name, teamId, role })
}
