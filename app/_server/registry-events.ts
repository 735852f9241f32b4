import { PlatformError } from '../../platform/errors.ts'
import type { Platform } from '../../platform/open.ts'
import { registryEventsSchema, takeRegistryEvents } from '../../platform/registry/events.ts'
import { sameSecret } from '../../platform/secrets.ts'
import { cameThroughEdge } from './client-address.ts'

/** From the registry alone, which knows a secret and does not come by the public way. */
export async function answerRegistryEvents(platform: Platform, request: Request): Promise<Response> {
  const secret = `Bearer ${platform.config.readSecret('registry.notify-secret')}`
  if (cameThroughEdge(request.headers) || !sameSecret(request.headers.get('authorization') ?? '', secret))
    return new Response(null, { status: 404 })
  const parsed = registryEventsSchema.safeParse(await request.json().catch(() => null))
  // What can't be read now can't be read later either: the registry must not tell it for ever.
  if (!parsed.success) return new Response(null, { status: 202 })
  try {
    await takeRegistryEvents(platform, parsed.data.events)
    return new Response(null, { status: 200 })
  } catch (error) {
    platform.log.warn({ err: error }, 'what the registry told could not be taken in; it tells again')
    return new Response(null, { status: error instanceof PlatformError ? error.status : 500 })
  }
}
