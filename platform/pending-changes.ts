import { notFound, type Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import type { Transaction } from './database.ts'
import { inProgressStatuses } from './deployment-cancel.ts'
import { appEventSchema } from './model/app-event-kinds.ts'
import { type AppSettings, appSettingsSchema } from './model/app-settings.ts'
import { deploymentSnapshotSchema } from './model/deployment-snapshot.ts'
import type { PendingChange, PendingChanges } from './model/pending-changes.ts'
import type { Platform } from './open.ts'
import { type SettingChange, settingChanges } from './pending-settings.ts'
import { type VariableChange, variableChanges } from './pending-variables.ts'
import { runningSettings } from './running-settings.ts'
import { volumeChanges } from './volume-mounts.ts'

/**
 * What was changed and needs a deployment to become true. It is found by comparing what is set now with what the live
 * deployment was made with, so it can't be wrong about either; after a rollback all that it undid waits again. Values of
 * secrets are masked, and those of all variables for whoever may not read them.
 */
export async function pendingChanges(
  platform: Platform,
  viewer: Viewer,
  appId: string,
): Promise<PendingChanges> {
  await appAccess(platform, viewer, appId, 'app.read')
  const mayRead = await appAccess(platform, viewer, appId, 'variable.read').then(
    () => true,
    () => false,
  )
  return platform.db.$transaction(async (tx) => {
    const { live, ...found } = await compareWithLive(platform, tx, appId)
    const [underWay = null] = await tx.deployment.findMany({
      where: { appId, status: { in: inProgressStatuses } },
      orderBy: { number: 'desc' },
      select: { id: true, number: true },
      take: 1,
    })
    const whoChanged = await changersOf(tx, appId)
    const settings = found.settings.map(
      (each): PendingChange => ({
        ...each,
        ...{ source: 'app', isSecret: false, problem: null, canDiscard: true },
        ...whoChanged([each.field], each.field === 'settings.image' ? found.wantedImage : null),
      }),
    )
    const variables = found.variables.map(({ name, putBack: _, before, after, ...each }): PendingChange => {
      const isSecret = each.isSecret || !mayRead
      const field = `variables.${name}`
      const where = { app: [field], shared: [`shared.${field}`], reference: [] }[each.source]
      return {
        ...each,
        ...{ field, isSecret, canDiscard: each.source === 'app' },
        ...(isSecret ? { before: null, after: null } : { before, after }),
        ...whoChanged(where),
      }
    })
    return {
      live: live === null ? null : { id: live.id, number: live.number },
      underWay,
      changes: [...settings, ...variables, ...found.volumes],
    }
  })
}

export interface Compared {
  live: { id: string; number: number } | null
  liveSettings: AppSettings | null
  wantedImage: string
  settings: SettingChange[]
  variables: VariableChange[]
  volumes: PendingChange[]
}

/** The comparison itself, in plain text: for those who show or discard it. Throws `not-found`. */
export async function compareWithLive(platform: Platform, tx: Transaction, appId: string): Promise<Compared> {
  const app = await tx.app.findUnique({
    where: { id: appId },
    include: { liveDeployment: true, volumes: { orderBy: { name: 'asc' } } },
  })
  if (app === null) throw notFound('app')
  const wanted = appSettingsSchema.parse(app.settings)
  const { liveDeployment: live } = app
  const nothing = { liveSettings: null, settings: [], variables: [], volumes: [], wantedImage: wanted.image }
  if (live === null) return { live: null, ...nothing }
  const snapshot = deploymentSnapshotSchema.parse(live.snapshot)
  const liveSettings = runningSettings(live)
  return {
    live: { id: live.id, number: live.number },
    ...{ liveSettings, wantedImage: wanted.image },
    settings: settingChanges(liveSettings, wanted),
    variables: await variableChanges(platform, tx, app, { id: live.id, snapshot }),
    volumes: volumeChanges(app.volumes, live.createdAt, snapshot),
  }
}

type Changer = Pick<PendingChange, 'by' | 'at'>
const unknown: Changer = { by: null, at: null }

/** So many events back it is looked who changed something. */
const lookBack = 500

/** Who changed one of these fields last, as the app's timeline tells; the image may have come with a deployment. */
async function changersOf(
  tx: Transaction,
  appId: string,
): Promise<(fields: string[], image?: string | null) => Changer> {
  const rows = await tx.appEvent.findMany({
    where: {
      appId,
      kind: { in: ['configuration.changed', 'configuration.variables-changed', 'deployment.asked'] },
    },
    orderBy: { id: 'desc' },
    take: lookBack,
  })
  const events = rows.flatMap(({ event, actorName, createdAt }) => {
    const parsed = appEventSchema.safeParse(event)
    return parsed.success ? [{ event: parsed.data, by: actorName, at: createdAt.toISOString() }] : []
  })
  return (fields, image = null) => {
    const found = events.find(({ event }) => {
      if (event.kind === 'deployment.asked') return image !== null && event.image === image
      if (event.kind !== 'configuration.changed' && event.kind !== 'configuration.variables-changed')
        return false
      return event.changes.some(({ field: changed }) =>
        fields.some((field) => changed === field || changed.startsWith(`${field}.`)),
      )
    })
    return found === undefined ? unknown : { by: found.by, at: found.at }
  }
}
