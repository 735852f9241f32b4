import { processOf } from '../model/processes.ts'
import type { Platform } from '../open.ts'
import { runningSettings } from '../running-settings.ts'
import { emitAppEvent } from '../timeline.ts'

export interface ContainerChange {
  id: string
  appId: string
  deploymentId: string
  process: string
  replica: number
  /** How often the engine started it again. */
  restarts: number
  startedAt: string | null
  at: Date
}

export interface ContainerEnd extends ContainerChange {
  exitCode: number | null
  signal: string | null
  oomKilled: boolean
}

/**
 * Tells the app's timeline that a container ended by itself, if it should have gone on: what a deployment, a stop or a
 * smaller number of replicas ends is no news. May be told twice.
 */
export async function tellOfEnd(platform: Platform, change: ContainerEnd): Promise<void> {
  const { id, appId, restarts, startedAt, at, exitCode, signal, oomKilled } = change
  if (!isTelling(restarts)) return
  const limits = await shouldServe(platform, change)
  if (limits === null) return
  const of = containerOf(change)
  const key = `ended:${id}:${startedAt ?? restarts}`
  if (oomKilled) {
    const { memoryBytes } = limits
    await emitAppEvent(platform, appId, { kind: 'container.out-of-memory', ...of, memoryBytes }, { key, at })
  } else
    await emitAppEvent(platform, appId, { kind: 'container.exited', ...of, exitCode, signal }, { key, at })
}

/** Tells the app's timeline that a container was started again after it had ended by itself. May be told twice. */
export async function tellOfRestart(platform: Platform, change: ContainerChange): Promise<void> {
  const { id, appId, restarts, at } = change
  if (restarts === 0 || !isTelling(restarts) || (await shouldServe(platform, change)) === null) return
  const event = { kind: 'container.restarted', ...containerOf(change) } as const
  await emitAppEvent(platform, appId, event, { key: `restart:${id}:${restarts}`, at })
}

function containerOf({ id, deploymentId, process, replica, restarts }: ContainerChange) {
  return { containerId: id, deploymentId, process, replica, restarts }
}

/** One that ends again and again would fill the list: of many restarts only each so-manieth is told, with its number. */
export function isTelling(restarts: number): boolean {
  if (restarts <= 5) return true
  const step = 10 ** Math.floor(Math.log10(restarts))
  return [1, 2, 5].some((times) => restarts === times * step)
}

async function shouldServe(
  platform: Platform,
  { appId, deploymentId, process: name, replica }: ContainerChange,
): Promise<{ memoryBytes: number } | null> {
  const app = await platform.db.app.findUnique({
    where: { id: appId },
    select: {
      desiredState: true,
      liveDeploymentId: true,
      liveDeployment: { select: { snapshot: true, size: true } },
      project: { select: { team: { select: { deletedAt: true } } } },
      deployments: { where: { status: 'routing' }, select: { id: true } },
    },
  })
  if (app?.desiredState !== 'running' || app.project.team.deletedAt !== null) return null
  if (app.liveDeploymentId !== deploymentId || app.liveDeployment === null) return null
  // The one that comes takes its place.
  if (app.deployments.length > 0) return null
  const process = processOf(runningSettings(app.liveDeployment), name)
  return process !== null && replica < process.replicas ? process.limits : null
}

const cursorKey = (hostId: string) => `berth:timeline-cursor:${hostId}`

/** Where the host's worker is in its engine's events; undefined where nobody knows. */
export async function timelineCursor(platform: Platform): Promise<string | undefined> {
  return (await platform.redis.get(cursorKey(platform.config.hostId)).catch(() => null)) ?? undefined
}

export async function keepTimelineCursor(platform: Platform, cursor: string): Promise<void> {
  await platform.redis.set(cursorKey(platform.config.hostId), cursor).catch(() => undefined)
}
