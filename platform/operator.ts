import { z } from 'zod'
import { notFound, requireInstallation, type Viewer } from './access.ts'
import { PlatformError } from './errors.ts'
import { createTokenSchema } from './model/inputs.ts'
import { displayNameSchema, emailSchema } from './model/names.ts'
import type { Token } from './model/resources.ts'
import { roles } from './model/roles.ts'
import type { Platform } from './open.ts'
import { findApp, findProject } from './places.ts'
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

const tokenFields = createTokenSchema.shape

export const createTokenForSchema = z
  .strictObject({
    name: displayNameSchema,
    /** The person whom it is for. */
    email: emailSchema.optional(),
    /** Id or slug of the team that it is for. */
    team: z.string().max(64).optional(),
    role: z.enum(roles).default('developer'),
    /** By their slugs in the team, apps as project/app: what the token reaches alone. */
    projects: z.array(z.string().max(64)).max(100).default([]),
    apps: z.array(z.string().max(130)).max(100).default([]),
    ...{ preset: tokenFields.preset, actions: tokenFields.actions, expiresAt: tokenFields.expiresAt },
    ...{ repositories: tokenFields.repositories, addresses: tokenFields.addresses },
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
  const { email, team, projects, apps, ...fields } = validate(createTokenForSchema, input)
  const teamId = team === undefined ? undefined : (await getTeam(platform, viewer, team)).id
  const places = await findPlaces(platform, viewer, { teamId, projects, apps })
  const wanted = { ...fields, teamId, ...places }
  if (email === undefined) return createToken(platform, viewer, wanted)
  const user = await platform.db.user.findUnique({ where: { email, disabledAt: null } })
  if (user === null) throw notFound('user')
  const person: Viewer = { kind: 'user', userId: user.id, sessionId: null }
  return createToken(platform, person, wanted, { by: viewer })
}

async function findPlaces(
  platform: Platform,
  viewer: Viewer,
  of: { teamId: string | undefined; projects: string[]; apps: string[] },
): Promise<{ projectIds: string[]; appIds: string[] }> {
  const { teamId, projects, apps } = of
  if (teamId === undefined) {
    if (projects.length + apps.length === 0) return { projectIds: [], appIds: [] }
    const message = 'give the team of these projects and apps'
    throw new PlatformError('invalid', `team: ${message}`, { fields: [{ path: 'team', message }] })
  }
  const project = async (slug: string) => (await findProject(platform, viewer, teamId, slug)).id
  const app = async (path: string) => {
    const [inProject = '', slug = ''] = path.split('/')
    return (await findApp(platform, viewer, await project(inProject), slug)).id
  }
  return {
    projectIds: await Promise.all(projects.map(project)),
    appIds: await Promise.all(apps.map(app)),
  }
}
