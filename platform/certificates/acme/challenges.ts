import type { Platform } from '../../open.ts'

/** What an authority that asks for this is answered; null: nothing waits for it. */
export async function acmeAnswer(platform: Pick<Platform, 'db'>, token: string): Promise<string | null> {
  // Base64url, RFC 8555, 8.1.
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(token)) return null
  const row = await platform.db.acmeChallenge.findUnique({ where: { token } })
  return row?.keyAuthorization ?? null
}
