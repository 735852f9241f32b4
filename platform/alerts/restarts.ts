import { appEventSchema } from '../model/app-event-kinds.ts'
import type { Platform } from '../open.ts'
import type { EffectiveRule } from './settings.ts'

/** So far back a container's last number is looked for: what it says is the count at which the time began. */
const beforeMs = 86_400_000

interface Restart {
  containerId: string
  restarts: number
  atMs: number
  about: { process: string; replica: number }
}

/**
 * How often the containers of the live deployments were started again within what each app's rule counts together, by
 * the apps' timelines; of those that were not, nothing. Of many restarts of one container a timeline has only some, each
 * with its number.
 */
export async function restartsWithin(
  { db }: Platform,
  apps: readonly { id: string; liveDeploymentId: string | null }[],
  rules: ReadonlyMap<string, EffectiveRule[]>,
  now: Date,
): Promise<Map<string, { value: number; about: Restart['about'] }>> {
  const windowOf = (id: string) =>
    (rules.get(id)?.find(({ rule }) => rule === 'restarts')?.setting.forSeconds ?? 0) * 1_000
  const longestMs = Math.max(0, ...apps.map(({ id }) => windowOf(id)))
  const rows = await db.appEvent.findMany({
    where: {
      appId: { in: apps.map(({ id }) => id) },
      kind: 'container.restarted',
      createdAt: { gt: new Date(now.getTime() - longestMs - beforeMs), lte: now },
    },
    orderBy: { createdAt: 'asc' },
    select: { appId: true, event: true, createdAt: true },
  })
  const found = new Map<string, { value: number; about: Restart['about'] }>()
  for (const { id, liveDeploymentId } of apps) {
    const told = rows.flatMap(({ appId, event: json, createdAt }): Restart[] => {
      const event = appId === id ? appEventSchema.safeParse(json).data : undefined
      if (event?.kind !== 'container.restarted' || event.deploymentId !== liveDeploymentId) return []
      const { containerId, restarts, process, replica } = event
      return [{ containerId, restarts, atMs: createdAt.getTime(), about: { process, replica } }]
    })
    const value = count(told, now.getTime() - windowOf(id))
    const last = told.at(-1)
    if (value > 0 && last !== undefined) found.set(id, { value, about: last.about })
  }
  return found
}

/** `told`: oldest first. */
function count(told: Restart[], fromMs: number): number {
  const numbers = new Map<string, { before: number; last: number }>()
  for (const { containerId, restarts, atMs } of told) {
    const known = numbers.get(containerId)
    if (atMs <= fromMs) numbers.set(containerId, { before: restarts, last: restarts })
    else numbers.set(containerId, { before: known?.before ?? restarts - 1, last: restarts })
  }
  return [...numbers.values()].reduce((sum, { before, last }) => sum + Math.max(0, last - before), 0)
}
