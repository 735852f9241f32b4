/** `berth domains`: names that an app is reached by. */
import type { AddDomainInput, Domain } from '../../platform/model/domains.ts'
import type { LoginOptions } from '../client.ts'
import { table } from '../engine/table.ts'
import { say } from '../say.ts'
import { type ListOptions, named, type OpenApp, openApp } from './open.ts'

export async function listDomains(name: string, options: ListOptions): Promise<void> {
  const opened = await openApp(name, options)
  const domains = await domainsOf(opened)
  if (options.json) return say(JSON.stringify(domains, null, 2))
  if (!opened.app.settings.isPublic) say(`${opened.path} is set to have no public name.`)
  say(domainTable(domains))
  for (const domain of domains) for (const line of toDo(domain)) say(line)
}

/** How people write it: with its path. */
function wholeName({ displayName, pathPrefix }: Domain): string {
  return `${displayName}${pathPrefix === '/' ? '' : pathPrefix}`
}

export function domainTable(domains: readonly Domain[]): string {
  return table(
    ['NAME', 'LEADS TO', 'STATE', 'CERTIFICATE'],
    domains.map((domain) => [
      ...[wholeName(domain), domain.redirectTo ?? 'the app'],
      domain.verifiedAt === null ? 'to be shown' : 'active',
      domain.certificate === null
        ? (domain.issuance?.status ?? 'none')
        : `${domain.certificate.source}, until ${domain.certificate.expiresAt.slice(0, 10)}`,
    ]),
  )
}

/** What people still have to do for a name. */
export function toDo(domain: Domain): string[] {
  const { record, issuance } = domain
  const lines: string[] = []
  if (record !== null)
    lines.push(
      `To show that ${wholeName(domain)} is yours, set the TXT record ${record.name} to ${record.value}`,
    )
  if (issuance?.record && issuance.recordsBy === null)
    lines.push(
      `For the certificate of ${domain.displayName}, set the TXT record ${issuance.record.name} to ${issuance.record.value}`,
    )
  return lines
}

export async function addDomain(
  name: string,
  domain: string,
  {
    path: pathPrefix,
    strip,
    redirect,
    ...login
  }: LoginOptions & {
    path?: string
    strip?: boolean
    redirect?: string
  },
): Promise<void> {
  const input: AddDomainInput = {
    name: domain,
    ...(pathPrefix === undefined ? {} : { pathPrefix }),
    ...(strip ? { stripPrefix: true } : {}),
    ...(redirect === undefined ? {} : { redirectTo: redirect }),
  }
  const { client, app, path } = await openApp(name, login)
  const made = await client.post<Domain>(`/apps/${app.id}/domains`, input)
  say(
    made.verifiedAt === null
      ? `${wholeName(made)} leads nowhere until it is shown that it is yours.`
      : `${wholeName(made)} leads to ${made.redirectTo ?? path}.`,
  )
  for (const line of toDo(made)) say(line)
}

export async function checkDomain(name: string, domain: string, options: LoginOptions): Promise<void> {
  const opened = await openApp(name, options)
  const found = await domainOf(opened, domain)
  const now = await opened.client.post<Domain>(`/domains/${found.id}/check`)
  for (const { step, status, found: what } of now.checks)
    say(`${step}: ${status}${what === '' ? '' : ` (${what})`}`)
  say(now.verifiedAt === null ? `${wholeName(now)} is not shown yet.` : `${wholeName(now)} is active.`)
}

export async function removeDomain(name: string, domain: string, options: LoginOptions): Promise<void> {
  const opened = await openApp(name, options)
  const found = await domainOf(opened, domain)
  await opened.client.change('DELETE', `/domains/${found.id}`)
  say(`${wholeName(found)} leads nowhere any more.`)
}

export async function setPublic(name: string, isPublic: boolean, options: LoginOptions): Promise<void> {
  const { client, app, path } = await openApp(name, options)
  await client.change('PATCH', `/apps/${app.id}`, { settings: { isPublic } })
  say(`${path} has ${isPublic ? 'its names' : 'no public name'}, from its next deployment on.`)
}

/** By its name as the name service has it or as people write it, with its path where it has one. */
export async function domainOf(opened: OpenApp, wanted: string): Promise<Domain> {
  const domains = await domainsOf(opened)
  const asked = wanted.toLowerCase()
  const known = domains.map((domain) => ({ ...domain, name: wholeName(domain) }))
  const byAscii = domains.find(
    ({ name, pathPrefix }) => `${name}${pathPrefix === '/' ? '' : pathPrefix}` === asked,
  )
  return byAscii ?? named('name', known, asked)
}

async function domainsOf({ client, app }: OpenApp): Promise<Domain[]> {
  return (await client.get<{ data: Domain[] }>(`/apps/${app.id}/domains`)).data
}
