/** What the rules of apps are judged by, for many apps with a bounded number of questions. */
import { certificatesFor } from '../certificates/served.ts'
import type { AlertAbout, AppAlertRule } from '../model/alerts.ts'
import { isInProgress } from '../model/deployment-status.ts'
import type { Platform } from '../open.ts'
import type { Found } from './judge.ts'
import { measureRequests } from './measure-requests.ts'
import { type Used, usedLately } from './measure-use.ts'
import { restartsWithin } from './restarts.ts'
import type { EffectiveRule } from './settings.ts'

const dayMs = 86_400_000
/** A volume's numbers are as old as its host's last report. */
const reportingMs = 120_000
/** Until then the old containers serve as before. */
const waiting: readonly string[] = ['queued', 'building', 'pulling']

/** Of each rule of each app: its value now. `rules` has the apps' ids. */
export async function measureApps(
  platform: Platform,
  rules: ReadonlyMap<string, EffectiveRule[]>,
  now: Date,
): Promise<Map<string, Map<string, Found>>> {
  const apps = await readApps(platform, [...rules.keys()])
  const running = apps.filter(({ isRunning }) => isRunning)
  const used = await usedLately(platform, now, 'containers')
  const restarts = await restartsWithin(platform, running, rules, now)
  const certificates = await certificatesOf(platform, running)
  const requests = await measureRequests(platform, running, rules, now)
  const found = new Map<string, Map<string, Found>>()
  for (const app of apps) {
    const of = (rule: EffectiveRule): Found => {
      if (!app.isRunning) return { nothing: 'app-stopped' }
      switch (rule.rule as AppAlertRule) {
        case 'cpu':
          return app.isSwitching ? 'unknown' : fullest(used.get(app.id) ?? [], 'cpu')
        case 'memory':
          return fullest(used.get(app.id) ?? [], 'memory')
        case 'disk':
          return fullestVolume(app, now)
        case 'restarts':
          return app.isSwitching ? 'unknown' : (restarts.get(app.id) ?? { value: 0, about: null })
        case 'errors':
        case 'latency':
          return app.isSwitching ? 'unknown' : (requests.get(`${app.id} ${rule.rule}`) ?? 'unknown')
        case 'certificate':
          return endsFirst(certificates.get(app.id) ?? [], rule.setting.threshold, now)
      }
    }
    found.set(app.id, new Map((rules.get(app.id) ?? []).map((rule) => [rule.rule, of(rule)])))
  }
  return found
}

export interface WatchedApp {
  id: string
  teamId: string
  isRunning: boolean
  /** Its containers are being replaced: what they need to start says nothing. */
  isSwitching: boolean
  liveDeploymentId: string | null
  hostSeenAt: Date | null
  volumes: { name: string; sizeBytes: bigint; usedBytes: bigint | null }[]
  names: string[]
}

async function readApps(platform: Platform, ids: string[]): Promise<WatchedApp[]> {
  const rows = await platform.db.app.findMany({
    where: { id: { in: ids } },
    select: {
      ...{ id: true, desiredState: true, liveDeploymentId: true },
      host: { select: { lastSeenAt: true } },
      project: { select: { team: { select: { id: true, deletedAt: true } } } },
      volumes: {
        where: { deletedAt: null, isMade: true },
        select: { name: true, sizeBytes: true, usedBytes: true },
      },
      domains: { where: { route: { not: null } }, select: { name: true } },
      deployments: {
        orderBy: { number: 'desc' },
        take: 3,
        select: { status: true },
      },
    },
  })
  return rows.map(({ project, host, desiredState, domains, deployments, ...row }) => ({
    ...row,
    teamId: project.team.id,
    isRunning: desiredState === 'running' && project.team.deletedAt === null,
    isSwitching: deployments.some(({ status }) => isInProgress(status) && !waiting.includes(status)),
    hostSeenAt: host?.lastSeenAt ?? null,
    names: domains.map(({ name }) => name),
  }))
}

function fullest(used: Used[], share: 'cpu' | 'memory'): Found {
  const known = used.flatMap(({ process, replica, ...of }) => {
    const value = of[share]
    return value === null ? [] : [{ value, about: { process: process ?? 'web', replica: replica ?? 0 } }]
  })
  return largest(known) ?? 'unknown'
}

function fullestVolume({ volumes, hostSeenAt }: WatchedApp, now: Date): Found {
  if (volumes.length === 0) return { nothing: 'nothing-left' }
  if (hostSeenAt === null || now.getTime() - hostSeenAt.getTime() > reportingMs) return 'unknown'
  const known = volumes.flatMap(({ name, usedBytes, sizeBytes }) =>
    usedBytes === null || sizeBytes === 0n
      ? []
      : [{ value: (Number(usedBytes) / Number(sizeBytes)) * 100, about: { volume: name } }],
  )
  return largest(known) ?? 'unknown'
}

function largest<About extends AlertAbout>(of: { value: number; about: About }[]) {
  return of.reduce<{ value: number; about: About } | null>(
    (most, each) => (most === null || each.value > most.value ? each : most),
    null,
  )
}

interface Ends {
  hostname: string
  notBefore: Date | null
  expiresAt: Date
}

/** Those that somebody else signed: Berth's own authority renews its own whenever they are served. */
async function certificatesOf({ db }: Platform, apps: WatchedApp[]): Promise<Map<string, Ends[]>> {
  const held = apps.flatMap(({ names, teamId }) => names.map((name) => ({ name, teamId })))
  const served = held.length === 0 ? new Map<string, never>() : await certificatesFor(db, held)
  return new Map(
    apps.map(({ id, names }) => [
      id,
      names.flatMap((hostname) => {
        const certificate = served.get(hostname)
        if (certificate === undefined || certificate.source === 'internal') return []
        const { notBefore, expiresAt } = certificate
        return [{ hostname, notBefore, expiresAt }]
      }),
    ]),
  )
}

/** One that is short-lived is renewed late: of its time at least three quarters have to be over. */
function endsFirst(certificates: Ends[], threshold: number, now: Date): Found {
  const found = certificates.map(({ hostname, notBefore, expiresAt }) => {
    const value = (expiresAt.getTime() - now.getTime()) / dayMs
    const lifetime = notBefore === null ? null : (expiresAt.getTime() - notBefore.getTime()) / dayMs
    const thresholdAtMost = lifetime === null ? threshold : Math.min(threshold, lifetime / 4)
    return { value, about: { hostname }, thresholdAtMost }
  })
  const [first] = found.sort((a, b) => a.value - a.thresholdAtMost - (b.value - b.thresholdAtMost))
  return first ?? { nothing: 'nothing-left' }
}
