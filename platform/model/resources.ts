/**
 * The nouns as the API shows them: what platform/ functions return, and what the OpenAPI document describes. Those of the
 * registry are in repositories.ts, those that administrators see in administration.ts.
 */
import { z } from 'zod'
import { appSettingsSchema } from './app-settings.ts'
import { appStatuses } from './app-status.ts'
import { buildSchema } from './builds.ts'
import { followedSchema } from './deployment-snapshot.ts'
import { deploymentStatuses } from './deployment-status.ts'
import { deploymentStepSchema } from './deployment-step.ts'
import { failureSchema } from './failure.ts'
import { projectAccesses, roles } from './roles.ts'
import { scaleProblemSchema, sizeSchema } from './scale.ts'
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
  /** Members need a second factor to do anything in it. */
  requiresTwoFactor: z.boolean(),
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
  trigger: z.enum(['manual', 'api', 'redeploy', 'rollback', 'push', 'auto_rollback']),
  image: z.string(),
  imageDigest: z.string().nullable(),
  createdBy: z.string().nullable(),
  /** Why it came by itself; null: somebody asked for it. */
  followed: followedSchema.nullable(),
  settings: appSettingsSchema,
  /**
   * Whether it can be gone back to: `kept`: at once, since its image is kept on the host; `pull`: as long as its registry
   * has the image; null: it was never live, or is.
   */
  rollback: z.enum(['kept', 'pull']).nullable(),
  /** How its image is made; null: it is there already. */
  build: buildSchema.nullable(),
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
  /** `web`, or the name of another process of the app. */
  process: z.string(),
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
  /** Where it follows what is pushed: what was deployed last, or was there when it began to. */
  followed: z
    .object({
      tag: z.string().nullable(),
      digest: z.string().nullable(),
      /** Why what was pushed could not be deployed, or its registry not be asked; null: it could. */
      problem: z.string().nullable(),
      /** When a registry elsewhere was asked last, and is asked next. */
      lookedAt: time.nullable(),
      nextLookAt: time.nullable(),
    })
    .nullable(),
  liveDeploymentId: z.string().nullable(),
  /** How large what is live runs, or is about to; null: nothing is. What the next deployment runs is in `settings`. */
  scale: sizeSchema
    .extend({
      /** Its containers are being brought to this size. */
      isPending: z.boolean(),
      /** Why the last change was put back; null: it was made. */
      problem: scaleProblemSchema.nullable(),
    })
    .nullable(),
  latestDeployment: z
    .object({ id: z.string(), number: z.number().int(), status: z.enum(deploymentStatuses), createdAt: time })
    .nullable(),
  containers: z.array(containerSchema),
  /** Its volumes are held by one container at a time: a deployment stops the old one first, and nothing answers meanwhile. */
  stopsFirst: z.boolean(),
  createdAt: time,
  updatedAt: time,
})

export const variableSchema = z.object({
  name: z.string(),
  /** Null when it is a secret: those are write-only. */
  value: z.string().nullable(),
  isSecret: z.boolean(),
  /** Containers find it in this file; null: in their environment. */
  filePath: z.string().nullable(),
  updatedAt: time,
})

export const variableVersionSchema = z.object({
  number: z.number().int(),
  /** The name of whoever made it, as it was then. */
  by: z.string(),
  createdAt: time,
  /** What it changed, by name. Values of secrets are null. */
  changes: z.array(
    z.object({
      name: z.string(),
      change: z.enum(['added', 'changed', 'removed']),
      isSecret: z.boolean(),
      before: z.string().nullable(),
      after: z.string().nullable(),
    }),
  ),
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
  /** Whether signing in needs a code; null for callers who may not manage members. */
  hasTwoFactor: z.boolean().nullable(),
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

export const twoFactorSchema = z.object({
  /** Null: signing in needs no code. */
  since: time.nullable(),
  recoveryCodesLeft: z.number().int(),
  /** Without one the owner signs in elsewhere, and is not asked for it. */
  hasPassword: z.boolean(),
})

/** One field that differs; null where there was or is none. Secrets read ••••••. */
export const auditChangeSchema = z.object({ field: z.string(), before: z.unknown(), after: z.unknown() })

export const auditEventSchema = z.object({
  id: z.string(),
  teamId: z.string().nullable(),
  /** Null also for a team that is gone. */
  teamName: z.string().nullable(),
  /** Name of who did it, as it was then. */
  actor: z.string(),
  /** Anonymous: somebody who was not let in. */
  actorType: z.enum(['user', 'token', 'operator', 'system', 'anonymous']),
  actorId: z.string().nullable(),
  /** The person behind a token, too. */
  actorUserId: z.string().nullable(),
  action: z.string(),
  targetType: z.string().nullable(),
  targetId: z.string().nullable(),
  targetName: z.string().nullable(),
  changes: z.array(auditChangeSchema),
  detail: z.record(z.string(), z.unknown()),
  /** Where the request came from; null for what Berth did by itself. */
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
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
export type VariableVersion = z.infer<typeof variableVersionSchema>
export type Token = z.infer<typeof tokenSchema>
export type Member = z.infer<typeof memberSchema>
export type ProjectMember = z.infer<typeof projectMemberSchema>
export type Invitation = z.infer<typeof invitationSchema>
export type Session = z.infer<typeof sessionSchema>
export type TwoFactorState = z.infer<typeof twoFactorSchema>
export type AuditEvent = z.infer<typeof auditEventSchema>

/** One page of a list. `nextCursor` is null on the last one. */
export interface Page<Item> {
  data: Item[]
  nextCursor: string | null
}
