/** The nouns as the API shows them: what platform/ functions return, and what the OpenAPI document describes. */
import { z } from 'zod'
import { appSettingsSchema } from './app-settings.ts'
import { appStatuses } from './app-status.ts'
import { deploymentStatuses } from './deployment-status.ts'
import { deploymentStepSchema } from './deployment-step.ts'
import { failureSchema } from './failure.ts'
import { projectAccesses, roles } from './roles.ts'
import { presetNames } from './scopes.ts'

const time = z.iso.datetime()

export const teamSchema = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  /** The caller's role in it. */
  role: z.enum(roles),
  /** First part of its images' names. Stays when the slug changes. */
  imageNamespace: z.string(),
  createdAt: time,
})

export const deletedTeamSchema = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  /** Null when it was brought back. */
  deletedAt: time.nullable(),
  /** Then everything of it is removed. */
  purgeAt: time.nullable(),
})

export const environmentSchema = z.object({ id: z.string(), slug: z.string(), name: z.string() })

export const projectSchema = z.object({
  id: z.string(),
  teamId: z.string(),
  slug: z.string(),
  name: z.string(),
  environments: z.array(environmentSchema),
  /** The caller's role in it. */
  role: z.enum(roles),
  appCount: z.number().int(),
  createdAt: time,
})

export const deploymentSchema = z.object({
  id: z.string(),
  appId: z.string(),
  number: z.number().int(),
  status: z.enum(deploymentStatuses),
  trigger: z.enum(['manual', 'api', 'redeploy', 'rollback', 'push']),
  image: z.string(),
  imageDigest: z.string().nullable(),
  createdBy: z.string().nullable(),
  settings: appSettingsSchema,
  failure: failureSchema.nullable(),
  steps: z.array(deploymentStepSchema),
  createdAt: time,
  startedAt: time.nullable(),
  liveAt: time.nullable(),
  finishedAt: time.nullable(),
})

export const containerSchema = z.object({
  id: z.string(),
  deploymentId: z.string(),
  replica: z.number().int(),
  state: z.enum(['created', 'running', 'exited', 'removed']),
  exitCode: z.number().int().nullable(),
  oomKilled: z.boolean(),
  restarts: z.number().int(),
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
})

export const appSchema = z.object({
  id: z.string(),
  teamId: z.string(),
  projectId: z.string(),
  environmentId: z.string(),
  slug: z.string(),
  name: z.string(),
  status: z.enum(appStatuses),
  desiredState: z.enum(['running', 'stopped', 'deleted']),
  /** Addresses that the edge answers on, best first. */
  urls: z.array(z.string()),
  settings: appSettingsSchema,
  liveDeploymentId: z.string().nullable(),
  latestDeployment: z
    .object({ id: z.string(), number: z.number().int(), status: z.enum(deploymentStatuses), createdAt: time })
    .nullable(),
  containers: z.array(containerSchema),
  createdAt: time,
  updatedAt: time,
})

export const variableSchema = z.object({
  name: z.string(),
  /** Null when it is a secret: those are write-only. */
  value: z.string().nullable(),
  isSecret: z.boolean(),
  updatedAt: time,
})

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** First characters, to recognise it by. */
  hint: z.string(),
  role: z.enum(roles),
  teamId: z.string().nullable(),
  /** Null: its actions were chosen one by one. */
  preset: z.enum(presetNames).nullable(),
  actions: z.array(z.string()),
  /** Where one of these three has something, it reaches what they list alone. */
  projectIds: z.array(z.string()),
  appIds: z.array(z.string()),
  repositories: z.array(z.string()),
  /** Networks that it may come from; none: any. */
  addresses: z.array(z.string()),
  /** Of a team's own: who stands behind it. It does nothing while that is no member of the team. */
  maker: z.object({ name: z.string(), isMember: z.boolean() }).nullable(),
  createdAt: time,
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable(),
  lastUsedAddress: z.string().nullable(),
})

export const memberSchema = z.object({
  userId: z.string(),
  name: z.string(),
  email: z.string(),
  role: z.enum(roles),
  joinedAt: time,
})

export const projectMemberSchema = z.object({
  userId: z.string(),
  name: z.string(),
  email: z.string(),
  teamRole: z.enum(roles),
  /** `team`: the role in the team counts. `none`: the project is not to be seen. */
  access: z.enum(projectAccesses),
  /** What it comes to; null: none. */
  role: z.enum(roles).nullable(),
})

export const invitationSchema = z.object({
  id: z.string(),
  email: z.string(),
  role: z.enum(roles),
  invitedBy: z.string(),
  createdAt: time,
  expiresAt: time,
})

export const sessionSchema = z.object({
  id: z.string(),
  /** The one that asks. */
  isCurrent: z.boolean(),
  userAgent: z.string().nullable(),
  address: z.string().nullable(),
  createdAt: time,
  lastSeenAt: time,
})

export const auditEventSchema = z.object({
  id: z.string(),
  actor: z.string(),
  action: z.string(),
  targetType: z.string().nullable(),
  targetId: z.string().nullable(),
  targetName: z.string().nullable(),
  createdAt: time,
})

export type Team = z.infer<typeof teamSchema>
export type DeletedTeam = z.infer<typeof deletedTeamSchema>
export type Environment = z.infer<typeof environmentSchema>
export type Project = z.infer<typeof projectSchema>
export type App = z.infer<typeof appSchema>
export type Container = z.infer<typeof containerSchema>
export type Deployment = z.infer<typeof deploymentSchema>
export type Variable = z.infer<typeof variableSchema>
export type Token = z.infer<typeof tokenSchema>
export type Member = z.infer<typeof memberSchema>
export type ProjectMember = z.infer<typeof projectMemberSchema>
export type Invitation = z.infer<typeof invitationSchema>
export type Session = z.infer<typeof sessionSchema>
export type AuditEvent = z.infer<typeof auditEventSchema>

/** One page of a list. `nextCursor` is null on the last one. */
export interface Page<Item> {
  data: Item[]
  nextCursor: string | null
}
