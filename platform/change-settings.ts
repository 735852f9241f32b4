import { isDeepStrictEqual } from 'node:util'
import { notFound, type Viewer } from './access.ts'
import type { AppPlace } from './app-access.ts'
import { publishApp } from './app-events.ts'
import { lockApp } from './app-lock.ts'
import { readApp } from './app-view.ts'
import { record } from './audit.ts'
import { changesBetween } from './audit-changes.ts'
import { PlatformError } from './errors.ts'
import { beginToFollow, isSameRepository } from './following.ts'
import { type AppSettings, appSettingsSchema } from './model/app-settings.ts'
import type { AuditAction } from './model/audit-actions.ts'
import { hostPortOf, portInWords } from './model/ports.ts'
import { web } from './model/processes.ts'
import type { App } from './model/resources.ts'
import type { Platform } from './open.ts'
import { requireFreePorts } from './ports/claims.ts'
import { checkQuota, growth, lockTeam, needOf } from './quotas.ts'
import { learnWhatIsThere } from './registries/follow-elsewhere.ts'
import { announce, tellOfApp } from './timeline.ts'
import { requireNoVolumes } from './volume-mounts.ts'

/**
 * One change of what the next deployment of an app runs: checked, recorded and told of. Whether the caller may is asked
 * before. `next` makes the new settings of those that are there, and throws what is wrong with them. Throws
 * `quota-exceeded` when a running app would become larger than its team may.
 */
export async function changeSettings(
  platform: Platform,
  viewer: Viewer,
  { appId: id, teamId, hostId }: AppPlace,
  {
    name,
    next,
    action = 'app.update',
  }: { name?: string; next: (current: AppSettings) => AppSettings; action?: AuditAction },
): Promise<App> {
  let isToLook = false
  const told = await platform.db.$transaction(async (tx) => {
    await lockTeam(tx, teamId)
    const app = await lockApp(tx, id)
    const current = appSettingsSchema.parse(app.settings)
    const settings = next(current)
    if (settings.replicas > 1) await requireNoVolumes(tx, id)
    // What runs goes on as it is; but who makes it larger learns now that it would not be deployed.
    if (app.desiredState === 'running' && isLarger(settings, current))
      await checkQuota(tx, teamId, await growth(tx, id, settings))
    const more = Object.keys(settings.ports).filter((port) => current.ports[port] === undefined)
    requireProcesses(settings)
    await checkQuota(tx, teamId, { ports: portGrowth(settings, current) })
    await requireFreePorts(tx, { hostId, appId: id, teamId }, more)
    const isSame = isSameRepository(settings.image, current.image)
    const begun: { followLookAt?: Date | null } =
      isSame && isDeepStrictEqual(settings.follow, current.follow)
        ? {}
        : await beginToFollow(platform, tx, teamId, settings)
    isToLook = begun.followLookAt instanceof Date
    await tx.app.update({
      where: { id },
      data: { settings, ...begun, ...(name === undefined ? {} : { name }) },
    })
    const before = { name: app.name, settings: current }
    const after = { name: name ?? app.name, settings }
    const target = { type: 'app', id, name: name ?? app.name }
    await record(tx, viewer, { teamId, action, target, before, after })
    const changes = changesBetween(before, after)
    if (changes.length === 0) return []
    return tellOfApp(tx, { appId: id, by: viewer, event: { kind: 'configuration.changed', changes } })
  })
  if (isToLook) await learnWhatIsThere(platform, { appId: id, teamId, hostId })
  await announce(platform, told)
  await publishApp(platform, id)
  const app = await readApp(platform, id)
  if (app === null) throw notFound('app')
  return app
}

function portGrowth(settings: AppSettings, than: AppSettings): number {
  return Math.max(0, Object.keys(settings.ports).length - Object.keys(than.ports).length)
}

/** A port that leads to a process needs it. */
function requireProcesses({ ports, processes }: AppSettings): void {
  for (const [name, { process }] of Object.entries(ports)) {
    if (process === web || Object.hasOwn(processes, process)) continue
    const message = `has the port ${portInWords(hostPortOf(name))}: remove that first, or have it lead elsewhere`
    throw new PlatformError('conflict', `The process ${process} ${message}.`, {
      fields: [{ path: 'settings.processes', message }],
    })
  }
}

function isLarger(settings: AppSettings, than: AppSettings): boolean {
  const [need, before] = [needOf(settings), needOf(than)]
  return need.memoryBytes > before.memoryBytes || need.cpuMillis > before.cpuMillis
}
