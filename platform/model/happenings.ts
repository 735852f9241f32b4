import { z } from 'zod'
import { factsSchema } from './facts.ts'

/**
 * What can happen to an app that nobody asked for at that moment, or that a host did on its own. A closed set: timeline,
 * notifications and dashboard have words for each.
 */
export const happeningKinds = [
  /** A container of the live deployment ended by itself; the engine starts it again. */
  'container-exited',
  /** It ended because it used more memory than it may. */
  'container-oom-killed',
  /** It runs again: by the engine, or by the worker. */
  'container-restarted',
  /** A container that served does not answer any more, as the edge sees it. */
  'health-lost',
  'health-back',
  /** It ends again and again. Said once, until it has run well for a while. */
  'crash-loop',
  /** The live deployment crashed in a loop, and the app asked to go back then. */
  'auto-rollback',
  /** Replicas or limits changed without a deployment. */
  'scaled',
  'scale-refused',
  /** What was found other than it should be, and was put right. */
  'reconciled',
] as const

export type HappeningKind = (typeof happeningKinds)[number]

/** What `reconciled` found: its fact `found`. */
export const reconcileFindings = [
  /** A container that should run was not there at all. */
  'container-missing',
  /** It was there, and nothing would have started it. */
  'container-lying',
  /** The host was started anew: every container had ended. */
  'host-restarted',
  /** A container that no deployment wants. */
  'container-unwanted',
] as const

export type ReconcileFinding = (typeof reconcileFindings)[number]

/** The facts that the words for each kind are made from; others may come with them. */
export const happeningFacts: Record<HappeningKind, readonly string[]> = {
  'container-exited': ['replica', 'how'],
  'container-oom-killed': ['replica', 'memoryBytes'],
  'container-restarted': ['replica', 'restarts'],
  'health-lost': ['replica'],
  'health-back': ['replica'],
  'crash-loop': ['number', 'times', 'how'],
  'auto-rollback': ['from', 'to'],
  scaled: ['replicas', 'memoryBytes', 'cpuMillis'],
  'scale-refused': ['reason'],
  reconciled: ['found'],
}

export const happeningSchema = z.object({
  kind: z.enum(happeningKinds),
  appId: z.string(),
  /** Null where it is about the app, whatever runs. */
  deploymentId: z.string().nullable(),
  at: z.iso.datetime(),
  facts: factsSchema,
})

export type Happening = z.infer<typeof happeningSchema>
