import { notFound } from './access.ts'
import type { Transaction } from './database.ts'
import { inProgressStatuses } from './deployment-cancel.ts'
import { diskUse } from './disk-use.ts'
import { PlatformError } from './errors.ts'
import type { AppSettings } from './model/app-settings.ts'
import { type Quota, type QuotaName, quotaNames, type Use } from './model/quotas.ts'

/**
 * One spender of a team at a time, until the transaction ends. Take it before the lock of an app. It hinders no row
 * that only refers to the team.
 */
export async function lockTeam(tx: Transaction, teamId: string): Promise<void> {
  await tx.$executeRaw`SELECT 1 FROM teams WHERE id = ${teamId} FOR NO KEY UPDATE`
}

/** What more of is refused; of logs the oldest lines go instead. */
type RefusedName = Exclude<QuotaName, 'logBytes'>
const refusedNames = quotaNames.filter((name): name is RefusedName => name !== 'logBytes')

/**
 * Call it in the transaction that spends, before it does: of two that ask at once for the last place one gets it. What
 * was spent before a limit was lowered stays; only more is refused. Throws `quota-exceeded`, and `not-found` for a team
 * that was deleted meanwhile.
 */
export async function checkQuota(
  tx: Transaction,
  teamId: string,
  more: Partial<Record<RefusedName, number>>,
): Promise<void> {
  await lockTeam(tx, teamId)
  if ((await tx.team.count({ where: { id: teamId, deletedAt: null } })) === 0) throw notFound('team')
  const limits = await readQuota(tx, teamId)
  const asked = refusedNames.filter((name) => (more[name] ?? 0) > 0 && limits[name] !== null)
  if (asked.length === 0) return
  const used = await readUse(tx, teamId)
  for (const name of asked) {
    const limit = limits[name]
    const wanted = more[name] ?? 0
    if (limit !== null && used[name] + wanted > limit)
      throw exceeded(name, { limit, used: used[name], wanted })
  }
}

export async function readQuota(tx: Transaction, teamId: string): Promise<Quota> {
  const team = await tx.team.findUniqueOrThrow({
    where: { id: teamId },
    select: {
      ...{ maxApps: true, maxMemoryBytes: true, maxCpuMillis: true, maxDiskBytes: true },
      ...{ maxLogBytes: true, maxBuilds: true, maxPorts: true },
    },
  })
  return {
    apps: team.maxApps,
    memoryBytes: asNumber(team.maxMemoryBytes),
    cpuMillis: team.maxCpuMillis,
    diskBytes: asNumber(team.maxDiskBytes),
    logBytes: asNumber(team.maxLogBytes),
    builds: team.maxBuilds,
    ports: team.maxPorts,
  }
}

function asNumber(value: bigint | null): number | null {
  return value === null ? null : Number(value)
}

/** What the team uses now. */
export async function readUse(tx: Transaction, teamId: string): Promise<Use> {
  const apps = await tx.app.count({ where: { project: { teamId }, desiredState: { not: 'deleted' } } })
  const builds = await tx.buildPlace.count({ where: { teamId, expiresAt: { gt: new Date() } } })
  const [own, runs] = [await spentBy(tx, { teamId }), await spentByRuns(tx, teamId)]
  const memoryBytes = own.memoryBytes + runs.memoryBytes
  const cpuMillis = own.cpuMillis + runs.cpuMillis
  const logs = await tx.app.aggregate({ where: { project: { teamId } }, _sum: { logBytes: true } })
  const logBytes = Number(logs._sum.logBytes ?? 0)
  return {
    apps,
    memoryBytes,
    cpuMillis,
    diskBytes: await diskUse(tx, teamId),
    logBytes,
    builds,
    ports: await portsOf(tx, teamId),
  }
}

export type Resources = Pick<Use, 'memoryBytes' | 'cpuMillis'>

/** What an app needs when all replicas of all its processes run. */
export function needOf({
  processes,
  ...own
}: Pick<AppSettings, 'replicas' | 'limits' | 'processes'>): Resources {
  const need = { memoryBytes: 0, cpuMillis: 0 }
  for (const { replicas, limits } of [own, ...Object.values(processes)]) {
    need.memoryBytes += replicas * limits.memoryBytes
    need.cpuMillis += replicas * limits.cpuMillis
  }
  return need
}

/** Ports of hosts that its apps are set to have. */
async function portsOf(tx: Transaction, teamId: string): Promise<number> {
  const [row] = await tx.$queryRaw<{ ports: bigint }[]>`
    SELECT count(*) AS ports FROM apps JOIN projects ON projects.id = apps."projectId"
    CROSS JOIN LATERAL jsonb_object_keys(coalesce(apps.settings->'ports', '{}'))
    WHERE projects."teamId" = ${teamId}`
  return Number(row?.ports ?? 0)
}

/** What an app, or a team, has taken: of each app that is wanted running the most that its deployments ask for. */
export async function spentBy(
  tx: Transaction,
  of: { teamId: string } | { appId: string },
): Promise<Resources> {
  const teamId = 'teamId' in of ? of.teamId : null
  const appId = 'appId' in of ? of.appId : null
  const [row] = await tx.$queryRaw<{ memory: bigint; cpu: bigint }[]>`
    WITH running AS (
      SELECT apps.id, apps."liveDeploymentId" FROM apps JOIN projects ON projects.id = apps."projectId"
      WHERE apps."desiredState" = 'running'
        AND (projects."teamId" = ${teamId} OR apps.id = ${appId})
    ), wanted AS (
      SELECT running.id, deployments.id AS deployment, snapshot->'settings' AS settings, size
      FROM running JOIN deployments ON deployments.id = running."liveDeploymentId"
      UNION ALL
      SELECT running.id, deployments.id AS deployment, snapshot->'settings' AS settings, size
      FROM running JOIN deployments ON deployments."appId" = running.id
      WHERE deployments.status::text = ANY(${inProgressStatuses})
    ), sized AS (
      SELECT wanted.id, deployment,
        coalesce(given->>'replicas', own->>'replicas')::bigint AS replicas,
        coalesce(given->>'memoryBytes', own->'limits'->>'memoryBytes')::bigint AS memory,
        coalesce(given->>'cpuMillis', own->'limits'->>'cpuMillis')::bigint AS cpu
      FROM wanted CROSS JOIN LATERAL (
        SELECT settings AS own, size AS given
        UNION ALL
        SELECT value, size->'processes'->key FROM jsonb_each(coalesce(settings->'processes', '{}'))
      ) AS processes
    ), each_deployment AS (
      SELECT id, deployment, sum(replicas * memory) AS memory, sum(replicas * cpu) AS cpu
      FROM sized GROUP BY id, deployment
    ), each_app AS (
      SELECT id, max(memory) AS memory, max(cpu) AS cpu FROM each_deployment GROUP BY id
    )
    SELECT coalesce(sum(memory), 0)::bigint AS memory, coalesce(sum(cpu), 0)::bigint AS cpu FROM each_app`
  return { memoryBytes: Number(row?.memory ?? 0), cpuMillis: Number(row?.cpu ?? 0) }
}

/** What commands that run once take while they do. */
async function spentByRuns(tx: Transaction, teamId: string): Promise<Resources> {
  const { _sum } = await tx.run.aggregate({
    where: { status: { in: ['queued', 'running'] }, app: { project: { teamId } } },
    _sum: { memoryBytes: true, cpuMillis: true },
  })
  return { memoryBytes: Number(_sum.memoryBytes ?? 0), cpuMillis: _sum.cpuMillis ?? 0 }
}

/** So much more an app takes than it has: for checkQuota(). */
export async function growth(
  tx: Transaction,
  appId: string,
  settings: Pick<AppSettings, 'replicas' | 'limits' | 'processes'>,
): Promise<Resources> {
  const need = needOf(settings)
  const spent = await spentBy(tx, { appId })
  return {
    memoryBytes: Math.max(0, need.memoryBytes - spent.memoryBytes),
    cpuMillis: Math.max(0, need.cpuMillis - spent.cpuMillis),
  }
}

const help = "Free some of it, or ask an administrator of the installation to raise the team's quota."

const sentences: Record<RefusedName, (limit: string, used: string, wanted: string) => string> = {
  apps: (limit, used) => `The team may have ${limit} ${limit === '1' ? 'app' : 'apps'} and has ${used}.`,
  memoryBytes: (limit, used, wanted) =>
    `The team's apps may take ${limit} of memory and have taken ${used}; this needs ${wanted} more.`,
  cpuMillis: (limit, used, wanted) =>
    `The team's apps may take ${limit} processors and have taken ${used}; this needs ${wanted} more.`,
  diskBytes: (limit, used, wanted) =>
    `The team's volumes and images may take ${limit} and have taken ${used}; this needs ${wanted} more.`,
  builds: (limit, used) =>
    `The team may have ${limit} ${limit === '1' ? 'build' : 'builds'} at once and has ${used}.`,
  ports: (limit, used) =>
    `The team's apps may have ${limit} ${limit === '1' ? 'port' : 'ports'} of hosts and have ${used}.`,
}

function exceeded(
  name: RefusedName,
  amounts: { limit: number; used: number; wanted: number },
): PlatformError {
  const { limit, used, wanted } = amounts
  const [a, b, c] = [limit, used, wanted].map((value) => inWords(name, value))
  return new PlatformError('quota-exceeded', `${sentences[name](a ?? '', b ?? '', c ?? '')} ${help}`)
}

function inWords(name: QuotaName, value: number): string {
  if (name === 'cpuMillis') return String(value / 1_000)
  if (name === 'apps' || name === 'builds' || name === 'ports') return String(value)
  if (value < 2 ** 20) return `${Math.ceil(value / 2 ** 10)} KiB`
  if (value < 2 ** 30) return `${oneDecimal(value / 2 ** 20)} MiB`
  return `${oneDecimal(value / 2 ** 30)} GiB`
}

function oneDecimal(value: number): string {
  return String(Math.round(value * 10) / 10)
}
