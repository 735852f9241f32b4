import type { ApiTokenModel } from './generated/prisma/models.ts'
import type { Token } from './model/resources.ts'
import { presetOf } from './model/scopes.ts'

export const tokenColumns = {
  maker: {
    select: { name: true, disabledAt: true, memberships: { select: { teamId: true } } },
  },
} as const

interface TokenRow extends ApiTokenModel {
  maker: { name: string; disabledAt: Date | null; memberships: { teamId: string }[] } | null
}

/** Everything but its secret, which nobody has. */
export function showToken(row: TokenRow): Token {
  const { maker } = row
  const isStill = maker?.disabledAt === null && maker.memberships.some(({ teamId }) => teamId === row.teamId)
  return {
    id: row.id,
    name: row.name,
    hint: row.hint,
    role: row.role,
    teamId: row.teamId,
    preset: presetOf(row.actions),
    actions: row.actions,
    projectIds: row.projectIds,
    appIds: row.appIds,
    repositories: row.repositories,
    addresses: row.addresses,
    maker: maker === null ? null : { name: maker.name, isMember: isStill },
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    lastUsedAddress: row.lastUsedAddress,
  }
}
