/** The time that metrics are asked of, and what belongs to it whatever they are of. */
import { PlatformError } from './errors.ts'
import { type MetricRangeInput, metricRangeSchema, metricSteps, mostPoints } from './model/metrics.ts'
import type { Platform } from './open.ts'
import { validate } from './validate.ts'

const hourMs = 3_600_000
/** After a point's time it is written, or made of the finer ones. */
const writtenAfterMs = 5_000
const rolledUpAfterMs = 70_000

export interface Range {
  from: Date
  to: Date
  /** Seconds. */
  step: number
}

/** Throws `invalid` with a field. */
export function rangeOf(input: MetricRangeInput, now = Date.now()): Range {
  const asked = validate(metricRangeSchema, input)
  const to = asked.to === undefined ? new Date(now) : new Date(asked.to)
  const from = asked.from === undefined ? new Date(to.getTime() - hourMs) : new Date(asked.from)
  const seconds = (to.getTime() - from.getTime()) / 1_000
  if (seconds <= 0) throw invalid('from', 'must be before the end')
  const fits = (step: number) => seconds / step <= mostPoints
  const isKept = (keptSeconds: number) => from.getTime() >= now - keptSeconds * 1_000
  const finest = metricSteps.find(({ seconds, keptSeconds }) => fits(seconds) && isKept(keptSeconds))
  const step = asked.step ?? (finest ?? metricSteps[3]).seconds
  if (!fits(step))
    throw invalid('step', `must be larger for so long a time: at most ${mostPoints} points are answered`)
  return { from, to, step }
}

/** Until when the points of a range are whole: there a point that is missing means that nothing was counted. */
export function completeTo({ to, step }: Range, now = Date.now()): Date {
  const stepMs = step * 1_000
  const late = step === metricSteps[0].seconds ? writtenAfterMs : rolledUpAfterMs
  return new Date(Math.min(to.getTime(), Math.floor((now - late) / stepMs) * stepMs))
}

export function showRange({ from, to, step }: Range) {
  return { from: from.toISOString(), to: to.toISOString(), step }
}

/** What went live of an app in that time. */
export async function deploymentsIn(platform: Platform, appId: string, { from, to }: Range) {
  const deployments = await platform.db.deployment.findMany({
    where: { appId, liveAt: { gte: from, lt: to } },
    orderBy: { number: 'asc' },
    select: { id: true, number: true, liveAt: true },
  })
  return deployments.map(({ liveAt, ...rest }) => ({ ...rest, liveAt: liveAt?.toISOString() ?? '' }))
}

function invalid(path: string, message: string): PlatformError {
  return new PlatformError('invalid', `${path} ${message}.`, { fields: [{ path, message }] })
}
