/**
 * What an app's timeline tells: every kind of event with what it carries. Whoever makes one happen calls
 * emitAppEvent() of platform/timeline.ts (or tellOfApp() in a transaction of his own). Events are facts of the past, in
 * numbers and names; sentences are made where they are read, in the reader's language. Nothing in them is secret.
 *
 * A kind's first word is its area, by which people filter. A new kind needs words in app/_messages (timeline.kinds) and
 * in platform/notifications/words.ts; the compiler names both.
 */
import { z } from 'zod'
import { alertEndings, alertFacts } from './alerts.ts'
import { sizeSchema } from './scale.ts'

function kind<Kind extends string, Shape extends z.core.$ZodLooseShape>(name: Kind, shape: Shape) {
  return z.object({ kind: z.literal(name), ...shape })
}

const deployment = { deploymentId: z.string(), number: z.number().int() }
/** Which of an app's processes; older events tell of `web` alone. */
const process = z.string().default('web')
const container = {
  containerId: z.string(),
  deploymentId: z.string(),
  process,
  replica: z.number().int(),
}
const ended = { exitCode: z.number().int().nullable(), signal: z.string().nullable() }
/** Any JSON; the changes of lists come whole. */
const json = z.unknown()
/** As in the audit log: values of secrets, and of all variables, are masked. */
const changes = z.array(z.object({ field: z.string(), before: json, after: json }))

/** Why Berth acted though nobody asked. */
export const recoveryCauses = [
  'container-missing',
  'container-stopped',
  'host-rebooted',
  'worker-restarted',
  'edge-restarted',
  'queue-lost',
] as const

export const appEventSchema = z.discriminatedUnion('kind', [
  kind('app.created', { image: z.string() }),
  kind('app.started', {}),
  kind('app.stopped', {}),
  /** `toNumber`: of the deployment that a rollback goes back to. */
  kind('deployment.asked', {
    ...deployment,
    image: z.string(),
    trigger: z.string(),
    toNumber: z.number().int().nullable(),
    /** The tag that the app follows and that something else was pushed to; missing in older ones. */
    followed: z.string().nullish(),
  }),
  kind('deployment.live', { ...deployment, image: z.string(), tookMs: z.number().int() }),
  kind('deployment.failed', {
    ...deployment,
    step: z.string(),
    code: z.string(),
    /** A sentence in English. */
    message: z.string(),
    ...ended,
    oomKilled: z.boolean(),
  }),
  kind('deployment.canceled', deployment),
  /** A newer one was asked for before it began. */
  kind('deployment.superseded', deployment),
  /** A rollback that somebody asked for is live. */
  kind('deployment.rolled-back', { ...deployment, toNumber: z.number().int().nullable() }),
  /** Berth itself asked for the rollback `number`, since `fromNumber` crashed again and again. */
  kind('deployment.rolled-back-automatically', {
    ...deployment,
    fromNumber: z.number().int(),
    toNumber: z.number().int(),
  }),
  kind('configuration.changed', { changes }),
  kind('configuration.variables-changed', { changes }),
  /** Ended though it should run. `restarts`: how often it was started again before. */
  kind('container.exited', { ...container, ...ended, restarts: z.number().int() }),
  kind('container.restarted', { ...container, restarts: z.number().int() }),
  kind('container.out-of-memory', {
    ...container,
    restarts: z.number().int(),
    memoryBytes: z.number().int(),
  }),
  /** It ended `exits` times within `withinMs`. */
  kind('container.crash-looping', {
    ...container,
    ...ended,
    exits: z.number().int(),
    withinMs: z.number().int(),
  }),
  /** A command that should run once to its end did not; `name` is its cron job's, if it is one's. */
  kind('run.failed', {
    runId: z.string(),
    number: z.number().int(),
    name: z.string().nullable(),
    reason: z.string(),
    /** A sentence in English. */
    message: z.string(),
  }),
  kind('health.failing', { ...container, reason: z.string() }),
  /** `afterMs`: how long it did not answer; null where nobody knows. */
  kind('health.recovered', { ...container, afterMs: z.number().int().nullable() }),
  /** A rule of platform/model/alerts.ts is past its threshold, for as long as it says. */
  kind('alert.fired', alertFacts),
  kind('alert.recovered', {
    ...alertFacts,
    lastedMs: z.number().int(),
    ending: z.enum(alertEndings),
  }),
  kind('certificate.issued', { hostname: z.string(), expiresAt: z.iso.datetime(), isRenewal: z.boolean() }),
  kind('certificate.failed', {
    hostname: z.string(),
    message: z.string(),
    expiresAt: z.iso.datetime().nullable(),
  }),
  kind('scaling.changed', { from: sizeSchema, to: sizeSchema }),
  /** The kernel, or the app itself, did not let it: it is as it was. `reason`: a sentence in English. */
  kind('scaling.refused', { from: sizeSchema, to: sizeSchema, reason: z.string() }),
  /** `replica`: null where it is about the whole app. */
  kind('recovery.mended', {
    cause: z.enum(recoveryCauses),
    process,
    replica: z.number().int().nullable(),
  }),
])

/** One entry of an app's timeline. */
export const timelineEntrySchema = z.object({
  id: z.string(),
  appId: z.string(),
  at: z.iso.datetime(),
  /** Name of who made it happen, as it was then; null: Berth itself. */
  actor: z.string().nullable(),
  event: appEventSchema,
})

export type TimelineEntry = z.infer<typeof timelineEntrySchema>
export type AppEvent = z.infer<typeof appEventSchema>
export type RecoveryCause = (typeof recoveryCauses)[number]
export type AppEventKind = AppEvent['kind']

export const appEventKinds = appEventSchema.options.map(
  (option) => option.shape.kind.value,
) as readonly AppEventKind[]

export const appEventAreas = [
  'deployment',
  'configuration',
  'scaling',
  'container',
  'run',
  'health',
  'alert',
  'certificate',
  'recovery',
  'app',
] as const

export type AppEventArea = (typeof appEventAreas)[number]

export function areaOf(kind: AppEventKind): AppEventArea {
  return kind.slice(0, kind.indexOf('.')) as AppEventArea
}

/** Kinds that a filter names: each a kind, an area such as `deployment`, or `*`. */
export function kindsOf(filter: readonly string[]): AppEventKind[] {
  return appEventKinds.filter((kind) => filter.some((name) => ['*', kind, areaOf(kind)].includes(name)))
}

/** Whether something that should not be is the case. */
export function isTrouble(kind: AppEventKind): boolean {
  return troubles.has(kind)
}

const troubles: ReadonlySet<AppEventKind> = new Set([
  'deployment.failed',
  'deployment.rolled-back-automatically',
  'container.exited',
  'container.out-of-memory',
  'container.crash-looping',
  'run.failed',
  'health.failing',
  'alert.fired',
  'certificate.failed',
  'scaling.refused',
])
