import { domainToUnicode } from 'node:url'
import type { Facts } from '../audit-changes.ts'
import { issuancesOf } from '../certificates/issuance.ts'
import { certificatesFor, type ServedCertificate, sendsToHttps } from '../certificates/served.ts'
import { secureUrl } from '../config.ts'
import type { Domain as DomainRow } from '../generated/prisma/client.ts'
import { certificateSources, type Issuance } from '../model/certificates.ts'
import {
  type Domain,
  domainCheckSchema,
  isWildcard,
  recordName,
  recordValue,
  verifications,
} from '../model/domains.ts'
import type { Platform } from '../open.ts'
import { domainUrl } from './addresses.ts'
import { tokenOf } from './verify.ts'

export async function showDomain(platform: Platform, row: DomainRow, teamId: string): Promise<Domain> {
  const [shown] = await showDomains(platform, [row], teamId)
  if (shown === undefined) throw new Error('one domain is shown as none')
  return shown
}

/** Domains of one team's app. */
export async function showDomains(platform: Platform, rows: DomainRow[], teamId: string): Promise<Domain[]> {
  const isAnyOpen = rows.some(({ verifiedAt }) => verifiedAt === null)
  const token = isAnyOpen ? await tokenOf(platform.db, teamId) : ''
  const held = rows.filter(({ verifiedAt }) => verifiedAt !== null).map(({ name }) => ({ name, teamId }))
  const [certificates, issuances] = await Promise.all([
    certificatesFor(platform.db, held),
    issuancesOf(platform.db, held),
  ])
  return rows.map((row) =>
    show(platform, row, {
      token,
      certificate: row.verifiedAt === null ? undefined : certificates.get(row.name),
      issuance: (row.verifiedAt === null ? undefined : issuances.get(row.name)) ?? null,
    }),
  )
}

export function factsOf({
  name,
  pathPrefix,
  stripPrefix,
  redirectTo,
  httpsRedirect,
  hstsSeconds,
}: DomainRow): Facts {
  return { [`domains.${name}`]: { pathPrefix, stripPrefix, redirectTo, httpsRedirect, hstsSeconds } }
}

function show(
  { config }: Platform,
  row: DomainRow,
  {
    token,
    certificate,
    issuance,
  }: { token: string; certificate: ServedCertificate | undefined; issuance: Issuance | null },
): Domain {
  const checks = domainCheckSchema.array().safeParse(row.checks)
  const { id, appId, name, pathPrefix, stripPrefix, redirectTo, httpsRedirect, hstsSeconds } = row
  const toHttps = config.httpsPort !== null && sendsToHttps(row, certificate)
  const secure = certificate === undefined || isWildcard(name) ? null : secureUrl(config, name)
  const source = certificateSources.find((known) => known === certificate?.source)
  return {
    ...{ id, appId, name, pathPrefix, stripPrefix, redirectTo, httpsRedirect, hstsSeconds },
    displayName: `${isWildcard(name) ? '*.' : ''}${domainToUnicode(name.replace(/^\*\./, '')) || name}`,
    isGenerated: row.generated,
    url: isWildcard(name) ? null : domainUrl(config, { name, pathPrefix, toHttps }),
    secureUrl: secure === null ? null : `${secure}${pathPrefix === '/' ? '' : pathPrefix}`,
    sendsToHttps: toHttps,
    certificate:
      certificate === undefined || source === undefined
        ? null
        : {
            name: certificate.name,
            source,
            fingerprint: certificate.fingerprint,
            expiresAt: certificate.expiresAt.toISOString(),
          },
    issuance,
    verifiedAt: row.verifiedAt?.toISOString() ?? null,
    verifiedBy: row.generated
      ? 'generated'
      : (verifications.find((known) => known === row.verifiedBy) ?? null),
    record: row.verifiedAt === null ? { name: recordName(name), value: recordValue(token) } : null,
    checks: checks.success ? checks.data : [],
    checkedAt: row.checkedAt?.toISOString() ?? null,
    nextCheckAt: row.nextCheckAt?.toISOString() ?? null,
  }
}
