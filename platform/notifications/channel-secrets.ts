import type { NotificationChannel } from '../generated/prisma/client.ts'
import type { Platform } from '../open.ts'
import { unseal } from '../secrets.ts'

export const urlContext = (id: string) => `notification-url:${id}`
export const secretContext = (id: string) => `notification-secret:${id}`

type Sealed = Pick<NotificationChannel, 'id' | 'sealedUrl' | 'sealedSecret'>

/** Where it posts to. For whoever sends; nobody else is told. */
export function openUrl(platform: Platform, { id, sealedUrl }: Sealed): string {
  if (sealedUrl === null) throw new Error(`channel ${id} has no address`)
  return unseal(platform.keyring, sealedUrl, urlContext(id))
}

/** Null for what is no webhook. */
export function openSecret(platform: Platform, { id, sealedSecret }: Sealed): string | null {
  return sealedSecret === null ? null : unseal(platform.keyring, sealedSecret, secretContext(id))
}
