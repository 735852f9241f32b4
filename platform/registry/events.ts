import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { followPushes } from '../follow-pushes.ts'
import type { Platform } from '../open.ts'
import { readTag } from './client.ts'
import { splitName } from './scope.ts'
import { whoIs } from './subject.ts'
import { syncRepository } from './sync.ts'

/** What Distribution tells (distribution/docs/spec/… notifications.md). It is a hint: sync.ts asks the registry. */
const eventSchema = z.object({
  action: z.string(),
  target: z.object({
    mediaType: z.string().optional(),
    repository: z.string().max(255),
    digest: z.string().max(255).optional(),
    tag: z.string().max(128).optional(),
  }),
  actor: z.object({ name: z.string().optional() }).optional(),
})

export const registryEventsSchema = z.object({ events: z.array(eventSchema).max(1_000) })

export type RegistryEvent = z.infer<typeof eventSchema>

/** Throws what sync.ts throws: the registry then tells again. */
export async function takeRegistryEvents(platform: Platform, events: RegistryEvent[]): Promise<void> {
  for (const { action, target, actor } of events) {
    const { repository: name, digest, tag } = target
    if (action === 'push' && digest !== undefined) {
      const by = await whoIs(platform, actor?.name)
      if (tag !== undefined) await untilTagged(platform, name, tag, digest)
      await syncRepository(platform, {
        name,
        digests: [digest],
        tags: tag === undefined ? [] : [tag],
        ...(by === null ? {} : { pushed: { digest, ...by } }),
      })
      if (tag !== undefined) await followPushes(platform, { repository: name })
    } else if (action === 'delete') {
      await syncRepository(platform, {
        name,
        digests: digest === undefined ? [] : [digest],
        tags: tag ? [tag] : [],
      })
    } else if (action === 'pull' && digest !== undefined && actor?.name !== 'system') {
      await notePull(platform, name, digest)
    }
  }
}

/**
 * Distribution 2.8 tells of a push before it writes the tag (registry/handlers/manifests.go, PutManifest). Whoever looks
 * at once may see the tag as it was. One that names something else for good was pushed again, and told of again.
 */
async function untilTagged(platform: Platform, name: string, tag: string, digest: string): Promise<void> {
  for (const waitMs of [20, 50, 100, 200, 400, 800]) {
    if ((await readTag(platform, name, tag)) === digest) return
    await sleep(waitMs)
  }
}

/** Once a minute, however often it is pulled. */
async function notePull(platform: Platform, name: string, digest: string): Promise<void> {
  const parts = splitName(name)
  if (parts === null) return
  const now = new Date()
  const aMinuteAgo = new Date(now.getTime() - 60_000)
  await platform.db.$executeRaw`
    WITH pulled AS (
      UPDATE image_manifests m SET "lastPulledAt" = ${now}::timestamp
      FROM repositories r JOIN teams t ON t.id = r."teamId"
      WHERE m."repositoryId" = r.id AND m.digest = ${digest}
        AND r.name = ${parts.repository} AND t."imageNamespace" = ${parts.namespace}
        AND (m."lastPulledAt" IS NULL OR m."lastPulledAt" < ${aMinuteAgo}::timestamp)
      RETURNING r.id
    )
    UPDATE repositories SET "lastPulledAt" = ${now}::timestamp WHERE id IN (SELECT id FROM pulled)`
}
