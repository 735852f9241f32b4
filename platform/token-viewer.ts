import type { TokenViewer } from './access.ts'
import type { Role } from './model/roles.ts'

interface TokenRow {
  id: string
  userId: string | null
  teamId: string | null
  makerId: string | null
  role: Role
  actions: string[]
  projectIds: string[]
  appIds: string[]
  repositories: string[]
}

/** Who asks with this token. */
export function viewerOf(row: TokenRow): TokenViewer {
  const { id, userId, teamId, makerId, role, actions, projectIds, appIds, repositories } = row
  const scope = { actions, projectIds, appIds, repositories }
  return { kind: 'token', tokenId: id, userId, teamId, makerId, role, scope }
}
