import type { Viewer } from '../access.ts'
import type { Platform } from '../open.ts'
import { viewerOf } from '../token-viewer.ts'

/** Whom the registry names when it tells of a push; audit.ts writes actors the same way. */
export function subjectOf(viewer: Viewer | null): string {
  switch (viewer?.kind) {
    case undefined:
      return 'anonymous'
    case 'user':
      return `user:${viewer.userId}`
    case 'token':
      return `token:${viewer.tokenId}`
    case 'operator':
    case 'system':
      return viewer.kind
  }
}

/** The other way round, with the name as it is now; null for nobody in particular and for who is gone. */
export async function whoIs(
  platform: Platform,
  subject: string | undefined,
): Promise<{ by: Viewer; byName: string } | null> {
  const [kind, id] = subject?.split(':') ?? []
  switch (kind) {
    case 'operator':
      return { by: { kind }, byName: 'Operator' }
    case 'system':
      return { by: { kind }, byName: 'Berth' }
    case 'user': {
      const user = await platform.db.user.findUnique({ where: { id: id ?? '' } })
      return user === null ? null : { by: { kind, userId: user.id, sessionId: null }, byName: user.name }
    }
    case 'token': {
      const token = await platform.db.apiToken.findUnique({
        where: { id: id ?? '' },
        include: { user: true },
      })
      if (token === null) return null
      const { name, user } = token
      return { by: viewerOf(token), byName: user === null ? name : `${user.name} (${name})` }
    }
    default:
      return null
  }
}
