/** Accounts, teams and hosts, as administrators of the installation see them. */
import { z } from 'zod'
import { teamUseSchema } from './quotas.ts'
import { roles } from './roles.ts'

const time = z.iso.datetime()

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

export type ManagedUser = z.infer<typeof managedUserSchema>
export type ManagedTeam = z.infer<typeof managedTeamSchema>
export type ManagedTeamDetail = z.infer<typeof managedTeamDetailSchema>
export type ManagedHost = z.infer<typeof managedHostSchema>
