import { publish, streams } from './event-log.ts'
import type { AccessChange } from './model/events.ts'
import type { Platform } from './open.ts'

/**
 * Tells whoever holds a stream open that somebody's rights may have changed: those whom it concerns are asked again at
 * once. Call it after the transaction. Where it gets lost, the look at every half minute finds out.
 */
export async function publishAccess(platform: Platform, change: AccessChange): Promise<void> {
  await publish(platform, streams.access(), change)
}
