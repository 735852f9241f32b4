import type { Platform } from '../../platform/open.ts'
import { OutboundError } from '../../platform/sign-in/outbound.ts'
import { openProvider } from '../../platform/sign-in/providers.ts'
import type { OAuth } from './auth.ts'
import { oauthProvider } from './oauth-provider.ts'

/** The provider that this is about; null where it is about none. A word for the sign-in page where it can't be had. */
export async function openOAuth(platform: Platform, [action, id]: string[]): Promise<OAuth | null | string> {
  if ((action !== 'signin' && action !== 'callback') || id === undefined) return null
  if (id === 'credentials' || id === 'code') return null
  const provider = await openProvider(platform, id)
  if (provider === null) return 'provider-gone'
  try {
    return { provider, config: await oauthProvider(platform, provider) }
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    platform.log.warn({ provider: id, reason: error.message }, 'a sign-in provider does not answer')
    return 'provider-unavailable'
  }
}
