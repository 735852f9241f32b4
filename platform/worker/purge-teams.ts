import { record } from '../audit.ts'
import { enqueue } from '../jobs.ts'
import type { Platform } from '../open.ts'
import { hurryVolumes } from './volumes.ts'

export interface PurgeTools {
  /** Removes all images of a team from the registry, by the first part of their names. May be called twice. */
  removeImages(imageNamespace: string): Promise<void>
}

/**
 * Removes what is left of teams whose grace is over: first their apps and volumes, each by its host, and when none is left their
 * images and all that was recorded of them. Ask again and again: each call does what can be done by then.
 */
export async function purgeTeams(platform: Platform, { removeImages }: PurgeTools): Promise<void> {
  const { db } = platform
  const teams = await db.team.findMany({
    where: { deletedAt: { not: null }, purgeAt: { lte: new Date() } },
    select: { id: true, name: true, imageNamespace: true },
  })
  for (const { id, name, imageNamespace } of teams) {
    const apps = await db.app.findMany({
      where: { project: { teamId: id } },
      select: { id: true, hostId: true },
    })
    await db.app.updateMany({ where: { project: { teamId: id } }, data: { desiredState: 'deleted' } })
    for (const app of apps)
      await enqueue(platform, app.hostId ?? platform.config.hostId, 'delete-app', { appId: app.id })
    const volumes = await hurryVolumes(platform, id)
    if (apps.length > 0 || volumes > 0) continue
    await removeImages(imageNamespace)
    await db.$transaction(async (tx) => {
      // An app that is not gone yet, or a team that came back, keeps it.
      const { count } = await tx.team.deleteMany({
        where: {
          id,
          deletedAt: { not: null },
          purgeAt: { lte: new Date() },
          projects: { none: { apps: { some: {} } } },
          volumes: { none: {} },
        },
      })
      if (count === 0) return
      await record(
        tx,
        { kind: 'system' },
        {
          teamId: null,
          action: 'team.purge',
          target: { type: 'team', id, name },
        },
      )
    })
    platform.log.info({ team: id }, `everything of the deleted team ${name} is removed`)
  }
}
