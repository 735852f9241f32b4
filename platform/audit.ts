import type { Viewer } from './access.ts'
import { changesBetween, type Facts } from './audit-changes.ts'
import type { Transaction } from './database.ts'
import type { AuditAction } from './model/audit-actions.ts'
import { newId } from './model/ids.ts'
import { currentRequestOrigin, type RequestOrigin } from './request-origin.ts'

export interface AuditEntry {
  /** Null: it belongs to the installation, and its administrators read it. */
  teamId: string | null
  action: AuditAction
  target?: { type: string; id: string; name: string }
  /** What else there is to know. Never holds a secret or a variable's value: names and counts only. */
  detail?: Record<string, string | number | boolean | null | string[]>
  /** As it was; without it the thing is new. Only what differs is kept. */
  before?: Facts
  /** As it is now; without it the thing is gone. */
  after?: Facts
  /** Default: where the request under way came from. */
  from?: RequestOrigin
}

/** Writes down who did what, in the transaction that does it: what is not recorded did not happen. */
export async function record(
  tx: Transaction,
  viewer: Viewer | { kind: 'anonymous' },
  entry: AuditEntry,
): Promise<void> {
  const { teamId, action, target, detail, before, after } = entry
  const { address, userAgent } = entry.from ?? currentRequestOrigin()
  const changes = changesBetween(before, after)
  await tx.auditEvent.create({
    data: {
      id: newId('audit'),
      teamId,
      ...(await actorOf(tx, viewer)),
      action,
      targetType: target?.type ?? null,
      targetId: target?.id ?? null,
      targetName: target?.name ?? null,
      ...(detail === undefined ? {} : { detail }),
      ...(changes.length === 0 ? {} : { changes: changes.map((change) => ({ ...change })) }),
      address,
      userAgent: userAgent?.slice(0, 400) ?? null,
    },
  })
}

export interface Actor {
  actor: string
  actorName: string
  actorUserId: string | null
}

/** The name as it is now: it is kept with what was done, which may outlive the person. */
export async function actorOf(tx: Transaction, viewer: Viewer | { kind: 'anonymous' }): Promise<Actor> {
  switch (viewer.kind) {
    case 'operator':
      return { actor: 'operator', actorName: 'Operator', actorUserId: null }
    case 'anonymous':
      return { actor: 'anonymous', actorName: 'Somebody', actorUserId: null }
    case 'system':
      return { actor: 'system', actorName: 'Berth', actorUserId: null }
    case 'user': {
      const { userId } = viewer
      const user = await tx.user.findUnique({ where: { id: userId }, select: { name: true } })
      return { actor: `user:${userId}`, actorName: user?.name ?? 'Deleted user', actorUserId: userId }
    }
    case 'token': {
      const token = await tx.apiToken.findUnique({
        where: { id: viewer.tokenId },
        select: { name: true, user: { select: { name: true } } },
      })
      const owner = token?.user ? ` of ${token.user.name}` : ''
      return {
        actor: `token:${viewer.tokenId}`,
        actorName: `${token?.name ?? 'Deleted token'}${owner}`,
        actorUserId: viewer.userId,
      }
    }
  }
}
