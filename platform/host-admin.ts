import { notFound, requireInstallation, type Viewer } from './access.ts'
import { record } from './audit.ts'
import type { ManagedHost } from './model/administration.ts'
import type { PageInput } from './model/inputs.ts'
import type { Page } from './model/resources.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'

/** Workers report every 5 seconds. Who missed several of them is taken for away. */
const awayAfterMs = 30_000

const columns = {
  apps: { where: { desiredState: { not: 'deleted' } }, select: { id: true } },
  _count: { select: { containers: { where: { state: 'running' } } } },
} as const

interface HostRow {
  id: string
  name: string
  createdAt: Date
  lastSeenAt: Date | null
  facts: unknown
  cordonedAt: Date | null
  apps: { id: string }[]
  _count: { containers: number }
}

/** Every machine that a worker reported from, with the state that its last report leaves it in. */
export async function listHosts(
  platform: Platform,
  viewer: Viewer,
  pageInput?: PageInput,
): Promise<Page<ManagedHost>> {
  await requireInstallation(platform, viewer, 'installation.read-hosts')
  const page = parsePage(pageInput)
  const rows = await platform.db.host.findMany({
    where: { id: { gt: afterId(page) } },
    include: columns,
    orderBy: { id: 'asc' },
    take: page.limit + 1,
  })
  return toPage(rows, page.limit, (row) => row.id, show)
}

/** Throws `not-found`. */
export async function getHost(platform: Platform, viewer: Viewer, id: string): Promise<ManagedHost> {
  await requireInstallation(platform, viewer, 'installation.read-hosts')
  const row = await platform.db.host.findUnique({ where: { id }, include: columns })
  if (row === null) throw notFound('host')
  return show(row)
}

/** A cordoned host takes no new apps. What is on it goes on, and can be deployed anew. May be called twice. */
export async function cordonHost(
  platform: Platform,
  viewer: Viewer,
  id: string,
  cordoned: boolean,
): Promise<ManagedHost> {
  await requireInstallation(platform, viewer, 'installation.manage-hosts')
  return platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM hosts WHERE id = ${id} FOR UPDATE`
    const old = await tx.host.findUnique({ where: { id } })
    if (old === null) throw notFound('host')
    const cordonedAt = cordoned ? (old.cordonedAt ?? new Date()) : null
    const host = await tx.host.update({ where: { id }, data: { cordonedAt }, include: columns })
    if ((old.cordonedAt !== null) !== cordoned)
      await record(tx, viewer, {
        teamId: null,
        action: cordoned ? 'host.cordon' : 'host.uncordon',
        target: { type: 'host', id, name: host.name },
        before: { takesNewApps: cordoned },
        after: { takesNewApps: !cordoned },
      })
    return show(host)
  })
}

function show(row: HostRow): ManagedHost {
  return {
    id: row.id,
    name: row.name,
    state: stateOf(row.lastSeenAt),
    lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
    cordonedAt: row.cordonedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    appCount: row.apps.length,
    runningContainerCount: row._count.containers,
    facts: (row.facts ?? {}) as ManagedHost['facts'],
  }
}

/** A host whose worker reported lately is online. */
export function stateOf(lastSeenAt: Date | null): ManagedHost['state'] {
  if (lastSeenAt === null) return 'never-seen'
  return Date.now() - lastSeenAt.getTime() <= awayAfterMs ? 'online' : 'away'
}
