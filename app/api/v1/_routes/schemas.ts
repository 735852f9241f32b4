/** The model's nouns under the names that the OpenAPI document gives them. */

import { z } from '@hono/zod-openapi'
import {
  managedHostSchema,
  managedTeamDetailSchema,
  managedTeamSchema,
  managedUserSchema,
} from '../../../../platform/model/administration.ts'
import { alertRuleSchema, alertSchema } from '../../../../platform/model/alerts.ts'
import { timelineEntrySchema } from '../../../../platform/model/app-event-kinds.ts'
import { buildLogSchema } from '../../../../platform/model/builds.ts'
import { domainSchema } from '../../../../platform/model/domains.ts'
import { shownEdgeAccessSchema } from '../../../../platform/model/edge-access.ts'
import { logLineSchema } from '../../../../platform/model/events.ts'
import { followPreviewAnswerSchema } from '../../../../platform/model/follow-preview.ts'
import { gitSourceSchema, newGitWebhookSchema } from '../../../../platform/model/git-source.ts'
import { logDrainSchema } from '../../../../platform/model/log-drains.ts'
import { logHistogramSchema } from '../../../../platform/model/log-search.ts'
import { channelSchema, deliverySchema } from '../../../../platform/model/notifications.ts'
import { pendingChangesSchema } from '../../../../platform/model/pending-changes.ts'
import { portListSchema, portResourceSchema } from '../../../../platform/model/ports.ts'
import { teamUseSchema } from '../../../../platform/model/quotas.ts'
import { registryCollectionSchema } from '../../../../platform/model/registry-collection.ts'
import { registryLoginSchema } from '../../../../platform/model/registry-logins.ts'
import {
  imageDetailSchema,
  imagePushSchema,
  imageTagSchema,
  repositoryImageSchema,
  repositorySchema,
  retentionPlanSchema,
} from '../../../../platform/model/repositories.ts'
import type { Deployment } from '../../../../platform/model/resources.ts'
import {
  appSchema,
  auditEventSchema,
  deletedTeamSchema,
  deploymentSchema,
  invitationSchema,
  memberSchema,
  projectMemberSchema,
  projectSchema,
  sessionSchema,
  teamSchema,
  tokenSchema,
  variableSchema,
  variableVersionSchema,
} from '../../../../platform/model/resources.ts'
import { rollbackPlanSchema } from '../../../../platform/model/rollback-plan.ts'
import { cronJobSchema, runDetailSchema, runSchema } from '../../../../platform/model/runs.ts'
import { volumeSchema, volumeSnapshotSchema } from '../../../../platform/model/volumes.ts'
import { basePath } from './router.ts'

export const Team = teamSchema.meta({ id: 'Team' })
export const DeletedTeam = deletedTeamSchema.meta({ id: 'DeletedTeam' })
export const TeamUse = teamUseSchema.meta({ id: 'TeamUse' })
export const Project = projectSchema.meta({ id: 'Project' })
export const App = appSchema.meta({ id: 'App' })
export const RollbackPlan = rollbackPlanSchema.meta({ id: 'RollbackPlan' })
export const Variable = variableSchema.meta({ id: 'Variable' })
export const VariableVersion = variableVersionSchema.meta({ id: 'VariableVersion' })
export const Alert = alertSchema.meta({ id: 'Alert' })
export const AlertRule = alertRuleSchema.meta({ id: 'AlertRule' })
export const Run = runSchema.meta({ id: 'Run' })
export const RunDetail = runDetailSchema.meta({ id: 'RunDetail' })
export const Volume = volumeSchema.meta({ id: 'Volume' })
export const VolumeSnapshot = volumeSnapshotSchema.meta({ id: 'VolumeSnapshot' })
export const EdgeAccess = shownEdgeAccessSchema.meta({ id: 'EdgeAccess' })
export const CronJob = cronJobSchema.meta({ id: 'CronJob' })
export const Domain = domainSchema.meta({ id: 'Domain' })
export const Port = portResourceSchema.meta({ id: 'Port' })
export const PortList = portListSchema.meta({ id: 'PortList' })
export const Repository = repositorySchema.meta({ id: 'Repository' })
export const ImageTag = imageTagSchema.meta({ id: 'ImageTag' })
export const RepositoryImage = repositoryImageSchema.meta({ id: 'RepositoryImage' })
export const ImageDetail = imageDetailSchema.meta({ id: 'ImageDetail' })
export const ImagePush = imagePushSchema.meta({ id: 'ImagePush' })
export const Token = tokenSchema.meta({ id: 'Token' })
export const NewToken = tokenSchema
  .extend({ secret: z.string().meta({ description: 'Shown this once.' }) })
  .meta({ id: 'NewToken' })
export const Member = memberSchema.meta({ id: 'Member' })
export const ProjectMember = projectMemberSchema.meta({ id: 'ProjectMember' })
export const Invitation = invitationSchema.meta({ id: 'Invitation' })
export const NewInvitation = invitationSchema
  .extend({
    url: z.string().nullable().meta({
      description: 'The link to pass on, shown this once; null where it is sent by e-mail.',
    }),
    mailed: z.boolean().meta({ description: 'Whether the link is sent by e-mail, to that address alone.' }),
  })
  .meta({ id: 'NewInvitation' })
export const Session = sessionSchema.meta({ id: 'Session' })
export const AuditEvent = auditEventSchema.meta({ id: 'AuditEvent' })
export const ManagedUser = managedUserSchema.meta({ id: 'ManagedUser' })
export const ManagedTeamDetail = managedTeamDetailSchema.meta({ id: 'ManagedTeamDetail' })
export const ManagedTeam = managedTeamSchema.meta({ id: 'ManagedTeam' })
export const ManagedHost = managedHostSchema.meta({ id: 'ManagedHost' })
export const TimelineEntry = timelineEntrySchema.meta({ id: 'TimelineEntry' })
export const NotificationChannel = channelSchema.meta({ id: 'NotificationChannel' })
export const NewNotificationChannel = channelSchema
  .extend({
    secret: z.string().nullable().meta({ description: 'Of a webhook: signs its messages. Shown this once.' }),
  })
  .meta({ id: 'NewNotificationChannel' })
export const NotificationDelivery = deliverySchema.meta({ id: 'NotificationDelivery' })
export const LogDrain = logDrainSchema.meta({ id: 'LogDrain' })
export const RegistryLogin = registryLoginSchema.meta({ id: 'RegistryLogin' })
export const FollowPreview = followPreviewAnswerSchema.meta({ id: 'FollowPreview' })
export const RetentionPlan = retentionPlanSchema.meta({ id: 'RetentionPlan' })
export const RegistryCollection = registryCollectionSchema.meta({ id: 'RegistryCollection' })
export const GitSource = gitSourceSchema.meta({ id: 'GitSource' })
export const NewGitWebhook = newGitWebhookSchema.meta({ id: 'NewGitWebhook' })
export const BuildLog = buildLogSchema.meta({ id: 'BuildLog' })
export const PendingChanges = pendingChangesSchema.meta({ id: 'PendingChanges' })
export const LogLine = logLineSchema.meta({ id: 'LogLine' })
export const LogHistogram = logHistogramSchema.meta({ id: 'LogHistogram' })
export const LinkedDeployment = deploymentSchema
  .extend({
    links: z.object({
      self: z.string(),
      app: z.string(),
      events: z.string().meta({ description: 'Follow its progress here (server-sent events).' }),
      logs: z.string(),
    }),
  })
  .meta({ id: 'Deployment' })

export function withLinks(deployment: Deployment): z.infer<typeof LinkedDeployment> {
  const self = `${basePath}/deployments/${deployment.id}`
  const app = `${basePath}/apps/${deployment.appId}`
  return { ...deployment, links: { self, app, events: `${self}/events`, logs: `${app}/logs` } }
}

/** A body of bytes. */
export const binary = z.string().meta({ type: 'string', format: 'binary' })

export function pageOf<Schema extends z.ZodType>(schema: Schema) {
  return z.object({
    data: z.array(schema),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'Give it as `cursor` for the next page; null on the last.' }),
  })
}

export const pageQuery = z.strictObject({
  cursor: z.string().max(400).optional().meta({ description: '`nextCursor` of the page before' }),
  limit: z.coerce
    .number()
    .int()
    .min(1, 'must be 1–100')
    .max(100, 'must be 1–100')
    .default(50)
    .meta({ type: 'integer', minimum: 1, maximum: 100, default: 50 }),
})

const lineOrNull = z.number().int().nullable()
export const LogLinePage = pageOf(LogLine)
  .extend({
    searchedTo: z.string().nullable().meta({
      description: 'The search took its time and ended here; the next page goes on. Null: it did not.',
    }),
    first: lineOrNull.meta({ description: 'Number of the first line that is kept' }),
    last: lineOrNull.meta({ description: 'Number of the last line that is kept' }),
    isDiskFull: z.boolean().meta({
      description:
        'The host’s disk is full: what is written now is read from the container once there is room',
    }),
  })
  .meta({ id: 'LogLinePage' })
