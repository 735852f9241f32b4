/** The nouns as the API shows them: what platform/ functions return, and what the OpenAPI document describes. */
import { z } from 'zod'
import { appSettingsSchema } from './app-settings.ts'
import { appStatuses } from './app-status.ts'
import { buildSchema } from './builds.ts'
import { followedSchema } from './deployment-snapshot.ts'
import { deploymentStatuses } from './deployment-status.ts'
import { deploymentStepSchema } from './deployment-step.ts'
import { failureSchema } from './failure.ts'
import { teamUseSchema } from './quotas.ts'
import { retentionSchema } from './retention.ts'
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

export const imageUses = ['live', 'in-progress', 'rollback'] as const

/** A deployment that an image can't be taken away from. */
export const imageUseSchema = z.object({
  use: z.enum(imageUses),
  digest: z.string(),
  /** Null: an app of another team, of which no more is said. */
  app: z.object({ id: z.string(), name: z.string(), slug: z.string(), project: z.string() }).nullable(),
  deployment: z.number().int().nullable(),
})

export const repositorySchema = z.object({
  id: z.string(),
  teamId: z.string(),
  /** Below the team, such as shop/web. */
  name: z.string(),
  /** What images of it are called, without a tag: localhost:7080/acme/shop/web */
  reference: z.string(),
  description: z.string(),
  isPublic: z.boolean(),
  tagCount: z.number().int(),
  /** Of everything that its images name, each layer once. */
  sizeBytes: z.number().int(),
  lastPushedAt: time.nullable(),
  lastPulledAt: time.nullable(),
  /** Its own rules of what is kept; null: its team's. */
  retention: retentionSchema.nullable(),
  createdAt: time,
})

export const imageTagSchema = z.object({
  name: z.string(),
  digest: z.string(),
  /** Such as linux/amd64; several for an index, none for what is no image. */
  platforms: z.array(z.string()),
  /** What pulling it fetches at most: all platforms, each layer once. */
  sizeBytes: z.number().int(),
  pushedAt: time,
  pushedBy: z.string().nullable(),
  lastPulledAt: time.nullable(),
  usedBy: z.array(imageUseSchema),
})

export const repositoryImageSchema = z.object({
  digest: z.string(),
  mediaType: z.string(),
  kind: z.enum(['image', 'index', 'artifact']),
  artifactType: z.string().nullable(),
  platforms: z.array(z.string()),
  sizeBytes: z.number().int(),
  tags: z.array(z.string()),
  pushedAt: time,
  pushedBy: z.string().nullable(),
  lastPulledAt: time.nullable(),
  /** Since when nothing names it: no tag, and no index. */
  looseSince: time.nullable(),
  /** Digests of the indexes that name it. */
  partOf: z.array(z.string()),
  usedBy: z.array(imageUseSchema),
})

export const imageDetailSchema = repositoryImageSchema.extend({
  layers: z.array(z.object({ digest: z.string(), mediaType: z.string(), sizeBytes: z.number().int() })),
  /** Oldest first, as whoever built it wrote it down. */
  history: z.array(
    z.object({
      createdAt: z.string().nullable(),
      createdBy: z.string(),
      comment: z.string(),
      /** Changed no file, so it has no layer. */
      isEmpty: z.boolean(),
    }),
  ),
  /** Of an index. */
  children: z.array(
    z.object({ digest: z.string(), platform: z.string().nullable(), sizeBytes: z.number().int() }),
  ),
})

export const imagePushSchema = z.object({
  id: z.string(),
  tag: z.string(),
  digest: z.string(),
  pushedAt: time,
  pushedBy: z.string().nullable(),
})

export const registryStorageSchema = z.object({
  /** Layers and manifests that the team's repositories hold, each layer once. */
  usedBytes: z.number().int(),
  /** Of uploads under way or broken off, and of what was deleted and not collected yet. */
  looseBytes: z.number().int(),
  quotaBytes: z.number().int().nullable(),
})

/** Why something stays. */
export const retentionReasonSchema = z.discriminatedUnion('kind', [
  /** No rule is about tags. */
  z.object({ kind: z.literal('all-tags') }),
  /** One of the tags that were pushed last, counted from 1. */
  z.object({ kind: z.literal('newest'), place: z.number().int() }),
  /** Its name fits this. */
  z.object({ kind: z.literal('rule'), rule: z.string() }),
  /** A deployment needs it. */
  z.object({ kind: z.literal('use'), use: imageUseSchema }),
  /** Not without a name for long enough. Null: nothing is removed for that. */
  z.object({ kind: z.literal('untagged'), until: time.nullable() }),
])

export const retentionPlanSchema = z.object({
  /** All tags, those first that were pushed last. What no reason keeps goes. */
  tags: z.array(
    z.object({
      name: z.string(),
      digest: z.string(),
      pushedAt: time,
      keptBy: z.array(retentionReasonSchema),
    }),
  ),
  /** Images that no tag and no index names now. Those that lose their last tag come here next time. */
  untagged: z.array(
    z.object({
      digest: z.string(),
      since: time,
      sizeBytes: z.number().int(),
      keptBy: z.array(retentionReasonSchema),
    }),
  ),
})

export type RetentionReason = z.infer<typeof retentionReasonSchema>
export type RetentionPlan = z.infer<typeof retentionPlanSchema>
export type ImageUse = z.infer<typeof imageUseSchema>
export type Repository = z.infer<typeof repositorySchema>
export type ImageTag = z.infer<typeof imageTagSchema>
export type RepositoryImage = z.infer<typeof repositoryImageSchema>
export type ImageDetail = z.infer<typeof imageDetailSchema>
export type ImagePush = z.infer<typeof imagePushSchema>
export type RegistryStorage = z.infer<typeof registryStorageSchema>
/** An account, as administrators of the installation see it. */
export const managedUserSchema = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  isAdmin: z.boolean(),
  /** Signing in needs a code. */
  hasTwoFactor: z.boolean(),
  suspendedAt: time.nullable(),
  createdAt: time,
  lastSeenAt: time.nullable(),
  teams: z.array(
    z.object({
      id: z.string(),
      slug: z.string(),
      name: z.string(),
      role: z.enum(roles),
      /** Nobody else who can sign in owns it. */
      isLastOwner: z.boolean(),
    }),
  ),
})

/** A team, as administrators of the installation see it: what it takes up, and nothing that is in it. */
export const managedTeamSchema = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  createdAt: time,
  deletedAt: time.nullable(),
  /** Then everything of a deleted one is removed. */
  purgeAt: time.nullable(),
  /** Those who can sign in. */
  owners: z.array(z.object({ id: z.string(), name: z.string() })),
  memberCount: z.number().int(),
  projectCount: z.number().int(),
  repositoryCount: z.number().int(),
  ...teamUseSchema.shape,
})

/** With its members, in the order in which the accounts were made. */
export const managedTeamDetailSchema = managedTeamSchema.extend({
  members: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      email: z.string(),
      role: z.enum(roles),
      isSuspended: z.boolean(),
    }),
  ),
})

/** A machine with a worker. */
export const managedHostSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** By its last report: away after half a minute of silence. */
  state: z.enum(['online', 'away', 'never-seen']),
  lastSeenAt: time.nullable(),
  /** Since when it takes no new apps. */
  cordonedAt: time.nullable(),
  createdAt: time,
  appCount: z.number().int(),
  runningContainerCount: z.number().int(),
  /** Of its engine: cpus, memoryBytes, kernel, cgroups, runtime and its version. */
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
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
export type ManagedUser = z.infer<typeof managedUserSchema>
export type ManagedTeam = z.infer<typeof managedTeamSchema>
export type ManagedTeamDetail = z.infer<typeof managedTeamDetailSchema>
export type ManagedHost = z.infer<typeof managedHostSchema>
export type AuditEvent = z.infer<typeof auditEventSchema>

/** One page of a list. `nextCursor` is null on the last one. */
export interface Page<Item> {
  data: Item[]
  nextCursor: string | null
}
