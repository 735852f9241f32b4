import type { Viewer } from './access.ts'
import type { StatusChange } from './app-events.ts'
import type { Transaction } from './database.ts'
import type { AppEvent } from './model/app-event-kinds.ts'
import { type Telling, type Told, tellOfApp } from './timeline.ts'

/**
 * Tells the app's timeline how a deployment ended, or that it serves; nothing for the statuses between. One that was
 * live and is replaced is no news. May be called twice.
 */
export async function tellOfStatus(tx: Transaction, change: StatusChange, viewer?: Viewer): Promise<Told[]> {
  const event = await eventOf(tx, change)
  if (event === null) return []
  const { appId, deploymentId } = change
  const by = change.status === 'canceled' ? ((await whoCanceled(tx, deploymentId)) ?? viewer) : viewer
  return tellOfApp(tx, { appId, event, key: `${change.status}:${deploymentId}`, by })
}

async function eventOf(
  tx: Transaction,
  { deploymentId, number, status, failure }: StatusChange,
): Promise<AppEvent | null> {
  const of = { deploymentId, number }
  switch (status) {
    case 'live':
      return liveEvent(tx, of)
    case 'failed': {
      if (failure === null) return null
      const { step, code, message, exitCode, signal, oomKilled } = failure
      return { kind: 'deployment.failed', ...of, step, code, message, exitCode, signal, oomKilled }
    }
    case 'canceled':
      return { kind: 'deployment.canceled', ...of }
    case 'superseded':
      return { kind: 'deployment.superseded', ...of }
    default:
      return null
  }
}

async function liveEvent(tx: Transaction, of: { deploymentId: string; number: number }): Promise<AppEvent> {
  const row = await tx.deployment.findUniqueOrThrow({ where: { id: of.deploymentId } })
  if (row.trigger === 'rollback') {
    const asked = await tx.appEvent.findFirst({
      where: { appId: row.appId, key: askedKey(of.deploymentId) },
      select: { event: true },
    })
    const event = asked?.event as AppEvent | undefined
    const toNumber = event?.kind === 'deployment.asked' ? event.toNumber : null
    return { kind: 'deployment.rolled-back', ...of, toNumber }
  }
  const tookMs = (row.liveAt ?? new Date()).getTime() - row.createdAt.getTime()
  return { kind: 'deployment.live', ...of, image: row.imageRef, tookMs }
}

export const askedKey = (deploymentId: string) => `asked:${deploymentId}`

/** One that was being carried out is canceled by its worker, for whoever asked. */
async function whoCanceled(tx: Transaction, deploymentId: string): Promise<Telling['by']> {
  const row = await tx.auditEvent.findFirst({
    where: { targetId: deploymentId, action: 'deployment.cancel' },
    orderBy: { id: 'desc' },
    select: { actor: true, actorName: true },
  })
  return row ?? undefined
}
