/** Who has a name: only verified ones count, so that a claim that nobody has shown blocks nobody. */
import type { Transaction } from '../database.ts'
import { baseOf, isWildcard } from '../model/domains.ts'
import { badName } from './names.ts'

export interface Claim {
  appId: string
  teamId: string
  name: string
  pathPrefix: string
}

/** What a verified domain is looked up by at the edge. */
export function routeOf(name: string, pathPrefix: string): string {
  return `${name}${pathPrefix}`
}

/** One at a time in the whole installation: wildcards make any two names neighbours. Until the transaction ends. */
export async function lockNames(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('berth-domains'))`
}

/** Throws `conflict` at `name` where another team has the name or a wildcard above it, or another app has the route. */
export async function requireFree(tx: Transaction, claim: Claim): Promise<void> {
  const holders = await tx.domain.findMany({
    where: { name: { in: covering(claim.name) }, verifiedAt: { not: null } },
    select: {
      ...{ appId: true, name: true, pathPrefix: true },
      app: { select: { name: true, project: { select: { teamId: true } } } },
    },
  })
  for (const holder of holders) {
    if (holder.app.project.teamId !== claim.teamId)
      throw badName(
        holder.name === claim.name
          ? 'is used by another team'
          : `is below ${holder.name}, which another team uses`,
        'conflict',
      )
    if (holder.name === claim.name && holder.pathPrefix === claim.pathPrefix && holder.appId !== claim.appId)
      throw badName(`leads to the app ${holder.app.name}; remove it there first`, 'conflict')
  }
}

/** Whether the team has shown by a record that it may set records for the name, or has the very name already. */
export async function isShown(tx: Transaction, claim: Claim): Promise<boolean> {
  const own = await tx.domain.findMany({
    where: {
      name: { in: covering(claim.name) },
      verifiedAt: { not: null },
      app: { project: { teamId: claim.teamId } },
    },
    select: { name: true },
  })
  return own.some(({ name }) => name === claim.name || isWildcard(name))
}

/** The name and the wildcards above it. One wildcard covers all names below it, at any depth, for who may have them. */
function covering(name: string): string[] {
  const labels = baseOf(name).split('.')
  const above = labels.map((_, at) => `*.${labels.slice(at).join('.')}`)
  // A wildcard's own base is no name below it: `*.example.com` says nothing of `example.com`.
  return isWildcard(name) ? above : [name, ...above.slice(1)]
}
