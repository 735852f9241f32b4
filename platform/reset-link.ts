import type { Transaction } from './database.ts'
import { newId } from './model/ids.ts'
import type { Platform } from './open.ts'
import { randomText, sha256 } from './secrets.ts'

/** How long a link for a new password lives. */
const resetMinutes = 60

export interface ResetLink {
  url: string
  expiresAt: string
}

/**
 * A link by which the person chooses a new password, once; earlier ones stop working. Only the hash of its token is
 * kept. Who may have it made, and what is written down of it, is the caller's business.
 */
export async function makeResetLink(
  platform: Platform,
  tx: Transaction,
  user: { id: string; email: string },
): Promise<ResetLink> {
  const token = randomText(40)
  const now = Date.now()
  // Of two that are asked for at once, one stays.
  await tx.$executeRaw`SELECT 1 FROM users WHERE id = ${user.id} FOR NO KEY UPDATE`
  const expiresAt = new Date(now + resetMinutes * 60_000)
  await tx.linkRequest.updateMany({
    where: { userId: user.id, kind: 'reset', usedAt: null, expiresAt: { gt: new Date(now) } },
    data: { expiresAt: new Date(now) },
  })
  await tx.linkRequest.create({
    data: {
      ...{ id: newId('linkRequest'), kind: 'reset', userId: user.id, email: user.email },
      ...{ tokenHash: sha256(token), expiresAt },
    },
  })
  return { url: `${platform.config.publicUrl}/reset?token=${token}`, expiresAt: expiresAt.toISOString() }
}
