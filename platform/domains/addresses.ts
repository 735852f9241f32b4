import { certificatesFor, type Held, sendsToHttps } from '../certificates/served.ts'
import { appUrl, type Config, secureUrl } from '../config.ts'
import type { Transaction } from '../database.ts'

/**
 * Which of an app's domains it is told people by, best first: its own before the one that Berth made. Those that lead
 * elsewhere, stand for many names, or are not verified are none.
 */
export const publicNames = {
  where: { verifiedAt: { not: null }, redirectTo: null, name: { not: { startsWith: '*' } } },
  orderBy: [{ generated: 'asc' as const }, { id: 'asc' as const }],
  select: { name: true, pathPrefix: true, httpsRedirect: true },
}

/** http://shop.example.com:7080/api, without a slash at its end; by HTTPS where visitors are sent there anyway. */
export function domainUrl(
  config: Pick<Config, 'port' | 'httpsPort'>,
  { name, pathPrefix, toHttps }: { name: string; pathPrefix: string; toHttps: boolean },
): string {
  const origin = (toHttps ? secureUrl(config, name) : null) ?? appUrl(config, name)
  return `${origin}${pathPrefix === '/' ? '' : pathPrefix}`
}

type PublicName = { name: string; pathPrefix: string; httpsRedirect: boolean | null }

/** Addresses of names of any teams, with one question: what it answers takes a name and whose it is. */
export async function addressesOf(
  { config, db }: { config: Pick<Config, 'port' | 'httpsPort'>; db: Transaction },
  held: readonly Held[],
): Promise<(domain: PublicName) => string> {
  const certificates = config.httpsPort === null ? new Map<string, never>() : await certificatesFor(db, held)
  return (domain) =>
    domainUrl(config, { ...domain, toHttps: sendsToHttps(domain, certificates.get(domain.name)) })
}
