import { inProgressStatuses } from '../deployment-cancel.ts'
import { keptDeployments } from '../kept-deployments.ts'
import type { ImageUse } from '../model/repositories.ts'
import type { Platform } from '../open.ts'

interface Of {
  id: string
  teamId: string
  /** What its images are called, without a tag. */
  reference: string
}

/**
 * The deployments that need an image of this repository: those that are live or on their way, and those that each app
 * can be rolled back to: as many as its host keeps too.
 */
export async function usesOf(platform: Platform, { id, teamId, reference }: Of): Promise<ImageUse[]> {
  const columns = { number: true, status: true, imageRef: true, imageDigest: true } as const
  const apps = await platform.db.app.findMany({
    where: {
      desiredState: { not: 'deleted' },
      deployments: { some: { imageRef: { startsWith: reference } } },
    },
    select: {
      id: true,
      name: true,
      slug: true,
      project: { select: { slug: true, teamId: true } },
      liveDeployment: { select: columns },
    },
  })
  const kept = await keptDeployments(platform.db, { appIds: apps.map((app) => app.id) })
  const onTheirWay = await platform.db.deployment.findMany({
    where: { appId: { in: apps.map((app) => app.id) }, status: { in: inProgressStatuses } },
    select: { ...columns, appId: true },
  })
  const uses = new Map<string, ImageUse>()
  for (const { id: appId, name, slug, project, liveDeployment } of apps) {
    const app = project.teamId === teamId ? { id: appId, name, slug, project: project.slug } : null
    const all = [
      ...(liveDeployment === null ? [] : [{ ...liveDeployment, use: 'live' as const }]),
      ...onTheirWay
        .filter((each) => each.appId === appId)
        .map((each) => ({ ...each, use: 'in-progress' as const })),
      ...kept.filter((each) => each.appId === appId).map((each) => ({ ...each, use: 'rollback' as const })),
    ]
    for (const { imageRef, imageDigest, number, use } of all) {
      const rest = imageRef.startsWith(reference) ? imageRef.slice(reference.length) : null
      if (rest === null || !/^$|^[:@]/.test(rest)) continue
      const digest = imageDigest ?? (await digestOf(platform, id, rest))
      const key = `${appId} ${number}`
      if (digest === null || uses.has(key)) continue
      uses.set(key, { use, digest, app, deployment: app === null ? null : number })
    }
  }
  return [...uses.values()]
}

/** What `:1.2`, `@sha256:…` or nothing names now: a deployment that was only just asked for has not looked yet. */
async function digestOf(platform: Platform, repositoryId: string, rest: string): Promise<string | null> {
  const digest = rest.split('@')[1]
  if (digest !== undefined) return digest
  const name = rest.slice(1) || 'latest'
  const tag = await platform.db.imageTag.findUnique({ where: { repositoryId_name: { repositoryId, name } } })
  return tag?.digest ?? null
}
