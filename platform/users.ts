import { notFound, type Viewer } from './access.ts'
import { record } from './audit.ts'
import { PlatformError } from './errors.ts'
import type { Platform } from './open.ts'

export interface User {
  id: string
  name: string
  email: string
  isAdmin: boolean
  /** Language of the dashboard, such as en or zh-CN; null: the browser's. */
  locale: string | null
  /** Signing in needs a code. */
  hasTwoFactor: boolean
}

/** The person who asks, or whose token it is. Throws `forbidden` for a caller that is no person. */
export async function getUser(platform: Platform, viewer: Viewer): Promise<User> {
  const userId = personOf(viewer)
  const user = await platform.db.user.findUnique({ where: { id: userId } })
  if (user === null) throw notFound('user')
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    isAdmin: user.isAdmin,
    locale: user.locale,
    hasTwoFactor: user.twoFactorAt !== null,
  }
}

/** Remembers the language of the dashboard. */
export async function setLocale(platform: Platform, viewer: Viewer, locale: string): Promise<void> {
  if (!/^[a-z]{2}(-[A-Z]{2})?$/.test(locale)) {
    throw new PlatformError('invalid', 'locale: must be such as en or zh-CN.', {
      fields: [{ path: 'locale', message: 'must be such as en or zh-CN' }],
    })
  }
  const id = personOf(viewer)
  await platform.db.$transaction(async (tx) => {
    const user = await tx.user.findUnique({ where: { id } })
    if (user === null || user.locale === locale) return
    await tx.user.update({ where: { id }, data: { locale } })
    await record(tx, viewer, {
      ...{ teamId: null, action: 'user.change-language', target: { type: 'user', id, name: user.name } },
      ...{ before: { locale: user.locale }, after: { locale } },
    })
  })
}

function personOf(viewer: Viewer): string {
  const userId = viewer.kind === 'user' || viewer.kind === 'token' ? viewer.userId : null
  if (userId === null) throw new PlatformError('forbidden', 'This is about a person, and the caller is none.')
  return userId
}
