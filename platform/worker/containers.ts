import { publishApp } from '../app-events.ts'
import { web } from '../model/processes.ts'
import type { Platform } from '../open.ts'

export interface NewContainer {
  /** The engine's id. */
  id: string
  deploymentId: string
  appId: string
  hostId: string
  /** Default: `web`. */
  process?: string
  replica: number
  /** It gets none before it takes over from what serves. */
  outOfTraffic?: boolean
  address?: string | null
  port?: number | null
}

/** Records that a container was made. One for the same replica that an earlier try made is replaced. */
export async function recordContainer(platform: Platform, container: NewContainer): Promise<void> {
  const {
    id,
    deploymentId,
    appId,
    hostId,
    process = web,
    replica,
    address = null,
    port = null,
    outOfTraffic = false,
  } = container
  const fresh = {
    id,
    hostId,
    address,
    port,
    state: 'created',
    exitCode: null,
    oomKilled: false,
    outOfTraffic,
    restarts: 0,
    startedAt: null,
    finishedAt: null,
  } as const
  await platform.db.container.upsert({
    where: { deploymentId_process_replica: { deploymentId, process, replica } },
    create: { ...fresh, deploymentId, appId, process, replica },
    update: fresh,
  })
}

/** Only what is given changes. */
export interface ContainerReport {
  state?: 'created' | 'running' | 'exited' | 'removed'
  address?: string | null
  port?: number | null
  exitCode?: number | null
  oomKilled?: boolean
  restarts?: number
  startedAt?: Date | string | null
  finishedAt?: Date | string | null
}

/** What the host found of a container. False when no deployment knows it: it is an orphan. */
export async function reportContainer(
  platform: Platform,
  id: string,
  report: ContainerReport,
): Promise<boolean> {
  const before = await platform.db.container.findUnique({
    where: { id },
    select: { appId: true, state: true, restarts: true },
  })
  if (before === null) return false
  await platform.db.container.updateMany({ where: { id }, data: report })
  const changed =
    (report.state !== undefined && report.state !== before.state) ||
    (report.restarts !== undefined && report.restarts !== before.restarts)
  if (changed) await publishApp(platform, before.appId)
  return true
}

/** In one step: those that come get traffic, those that go get none. The edge makes it true at its next sync. */
export async function moveTraffic(
  platform: Platform,
  { to, from }: { to: string[]; from: string[] },
): Promise<void> {
  const set = (ids: string[], outOfTraffic: boolean) =>
    platform.db.container.updateMany({
      where: { id: { in: ids }, outOfTraffic: !outOfTraffic },
      data: { outOfTraffic },
    })
  await platform.db.$transaction([set(to, false), set(from, true)])
}
