import type { GitSource as Row } from '../generated/prisma/client.ts'
import type { Platform } from '../open.ts'
import { unseal } from '../secrets.ts'
import { reachableAddresses } from './address.ts'

export const tokenContext = (appId: string) => `git-token:${appId}`
export const keyContext = (appId: string) => `git-key:${appId}`

/** How a repository is asked, with what lets in. For whoever fetches; nobody else is told. */
export interface GitRemote {
  url: string
  addresses: string[]
  credentials?: { username: string; password: string }
  sshKey?: string
  hostKeys?: string[]
  ca?: string
}

/** Throws AddressProblem when its host is not known, or where nobody may ask. */
export async function openRemote(platform: Platform, row: Row): Promise<GitRemote> {
  const { address: url, appId, sealedToken, sealedKey, hostKeys, ca } = row
  const addresses = await reachableAddresses(platform.config, url)
  const remote = { url, addresses, ...(ca === null ? {} : { ca }) }
  if (url.startsWith('ssh:'))
    return {
      ...remote,
      hostKeys,
      ...(sealedKey === null ? {} : { sshKey: unseal(platform.keyring, sealedKey, keyContext(appId)) }),
    }
  if (sealedToken === null) return remote
  const password = unseal(platform.keyring, sealedToken, tokenContext(appId))
  return { ...remote, credentials: { username: row.username || usualUsername(url), password } }
}

/** What goes with a token where nobody says: the forges read the token and take any name but Bitbucket's. */
function usualUsername(url: string): string {
  return new URL(url).hostname === 'bitbucket.org' ? 'x-token-auth' : 'oauth2'
}
