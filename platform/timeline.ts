import type { Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { actorOf } from './audit.ts'
import type { Transaction } from './database.ts'
import { type Entry, type FollowOptions, follow, publish, streams } from './event-log.ts'
import {
  type AppEvent,
  type AppEventKind,
  appEventSchema,
  kindsOf,
  type TimelineEntry,
} from './model/app-event-kinds.ts'
import { newId } from './model/ids.ts'
import { type PageInput, type TimelineFilterInput, timelineFilterSchema } from './model/inputs.ts'
import type { Page } from './model/resources.ts'
import { postNotifications } from './notifications/post.ts'
import { hurryDeliveries } from './notifications/queue.ts'
import type { Platform } from './open.ts'
import { afterId, parsePage, toPage } from './pages.ts'
import { validate } from './validate.ts'
import { whileAllowed } from './watch-right.ts'

export interface Telling {
  appId: string
  event: AppEvent
  /** Who made it happen; default: Berth itself. */
  by?: Viewer | { actor: string; actorName: string }
  /** What is told twice with one key is one event: steps of the worker may run twice. Within the app. */
  key?: string
  /** When it happened; default: now. */
  at?: Date
}

/** What was told in a transaction, to be given to announce() after it. */
export interface Told {
  entry: TimelineEntry
  /** Messages that tell the team's channels of it. */
  deliveryIds: string[]
}

/**
 * Writes into an app's timeline that something happened, in the transaction that it happens in. Nothing where it was
 * told already, or the app is gone.
 */
export async function tellOfApp(tx: Transaction, telling: Telling): Promise<Told[]> {
  const { appId, event, by, key = null, at = new Date() } = telling
  const who = by === undefined ? null : 'actor' in by ? by : await actorOf(tx, by)
  const row = {
    id: newId('appEvent', at.getTime()),
    appId,
    kind: event.kind,
    event,
    ...(who === null || who.actor === 'system' ? nobody : { actor: who.actor, actorName: who.actorName }),
    key,
    createdAt: at,
  }
  if ((await tx.app.count({ where: { id: appId } })) === 0) return []
  const { count } = await tx.appEvent.createMany({
    data: [{ ...row, event: JSON.parse(JSON.stringify(event)) }],
    skipDuplicates: true,
  })
  if (count === 0) return []
  const entry = showEntry({ ...row, event })
  return [{ entry, deliveryIds: await postNotifications(tx, entry) }]
}

const nobody = { actor: null, actorName: null }

/** Tells those who look at it. Call it after the transaction; never throws. */
export async function announce(platform: Platform, told: Told[]): Promise<void> {
  for (const { entry, deliveryIds } of told) {
    await publish(platform, streams.timeline(entry.appId), entry)
    await hurryDeliveries(platform, deliveryIds)
  }
}

/**
 * All in one, for the worker: writes into an app's timeline that something happened, and tells those who look at it.
 *
 *     await emitAppEvent(platform, app.id, { kind: 'container.restarted', containerId, deploymentId, replica, restarts },
 *       { key: `restart:${containerId}:${restarts}` })
 *
 * Kinds and what they carry: platform/model/app-event-kinds.ts. What is told here already, and by whom:
 * - deployments asked, live, failed, canceled, superseded, rolled back: by the functions that change a deployment's
 *   status (markLive(), setDeploymentStatus() …);
 * - settings and variables, apps made, started and stopped: by apps.ts and variables.ts;
 * - containers that exit, run out of memory and are started again: by worker/timeline.ts, from the engine's events.
 * Whoever adds scaling, health checks of what is live, crash loops, automatic rollbacks and what reconcile mends tells
 * of them with this call, where it decides them. Throws when the database does not take it: then the step was not done.
 */
export async function emitAppEvent(
  platform: Platform,
  appId: string,
  event: AppEvent,
  options: Omit<Telling, 'appId' | 'event'> = {},
): Promise<void> {
  const told = await platform.db.$transaction((tx) => tellOfApp(tx, { appId, event, ...options }))
  await announce(platform, told)
}

/** Newest first. */
export async function listTimeline(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  filter: TimelineFilterInput = {},
  pageInput?: PageInput,
): Promise<Page<TimelineEntry>> {
  await appAccess(platform, viewer, appId, 'app.read-timeline')
  const kinds = wantedKinds(filter)
  const page = parsePage(pageInput)
  const rows = await platform.db.appEvent.findMany({
    where: { appId, kind: { in: kinds }, id: { lt: afterId(page) } },
    orderBy: { id: 'desc' },
    take: page.limit + 1,
  })
  // What a newer Berth wrote before it was put back is left out.
  const known = ({ event }: { event: unknown }) => appEventSchema.safeParse(event).success
  const { data, nextCursor } = toPage(
    rows,
    page.limit,
    ({ id }) => id,
    (row) => row,
  )
  return {
    data: data.filter(known).map((row) => showEntry({ ...row, event: appEventSchema.parse(row.event) })),
    nextCursor,
  }
}

/** What happens to an app from now on, unless `after` says otherwise. Ends when the access does. */
export async function followTimeline(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  filter: TimelineFilterInput,
  options: FollowOptions,
): Promise<AsyncIterable<Entry<TimelineEntry>>> {
  const check = () => appAccess(platform, viewer, appId, 'app.read-timeline')
  await check()
  const kinds = new Set(wantedKinds(filter))
  const from = { ...options, after: options.after ?? '$' }
  return whileAllowed(platform, viewer, check, from, (inner) =>
    only(follow(platform, streams.timeline(appId), inner), kinds),
  )
}

async function* only(
  entries: AsyncIterable<Entry<TimelineEntry>>,
  kinds: ReadonlySet<AppEventKind>,
): AsyncGenerator<Entry<TimelineEntry>, void, undefined> {
  for await (const entry of entries) if (kinds.has(entry.event.event.kind)) yield entry
}

function wantedKinds(filter: TimelineFilterInput): AppEventKind[] {
  const { kind } = validate(timelineFilterSchema, filter)
  return kindsOf(kind ?? ['*'])
}

interface Row {
  id: string
  appId: string
  event: AppEvent
  actorName: string | null
  createdAt: Date
}

function showEntry({ id, appId, event, actorName, createdAt }: Row): TimelineEntry {
  return { id, appId, at: createdAt.toISOString(), actor: actorName, event }
}

const keptDays = 180
const keptPerApp = 2_000

/** For the worker, now and then: an app's timeline goes back half a year, or 2,000 events. */
export async function sweepTimelines(platform: Platform): Promise<void> {
  const old = new Date(Date.now() - keptDays * 86_400_000)
  await platform.db.appEvent.deleteMany({ where: { createdAt: { lt: old } } })
  const full = await platform.db.appEvent.groupBy({
    by: ['appId'],
    _count: true,
    having: { appId: { _count: { gt: keptPerApp } } },
  })
  for (const { appId } of full) {
    const [oldest] = await platform.db.appEvent.findMany({
      where: { appId },
      orderBy: { id: 'desc' },
      skip: keptPerApp - 1,
      take: 1,
      select: { id: true },
    })
    if (oldest !== undefined)
      await platform.db.appEvent.deleteMany({ where: { appId, id: { lt: oldest.id } } })
  }
}
