/**
 * What is measured, and how long it is kept. A point stands for `step` seconds from its time on, and has the mean and
 * the peak of each metric, in the order of these lists. Rates are per second.
 */
import { z } from 'zod'

export const containerMetrics = [
  /** Thousandths of a processor. */
  'cpuMillis',
  'cpuLimitMillis',
  /** Share of the time, 0–1, in which it wanted to run and its limit did not let it. */
  'cpuThrottled',
  /** Without the file cache that the kernel takes back when somebody needs memory. */
  'memoryBytes',
  'memoryLimitBytes',
  'pids',
  'pidsLimit',
  'receivedBytes',
  'sentBytes',
  'readBytes',
  'writtenBytes',
] as const

export const hostMetrics = [
  'cpuMillis',
  'cpuLimitMillis',
  'memoryBytes',
  'memoryLimitBytes',
  /** Of the file system that holds Berth's state. */
  'diskBytes',
  'diskLimitBytes',
  'load',
] as const

export type ContainerMetric = (typeof containerMetrics)[number]
export type HostMetric = (typeof hostMetrics)[number]

/** The finest first. What is older than `keptSeconds` is there in the next one only. */
export const metricSteps = [
  { seconds: 10, keptSeconds: 2 * 3_600 },
  { seconds: 60, keptSeconds: 2 * 86_400 },
  { seconds: 600, keptSeconds: 30 * 86_400 },
] as const

export const mostPoints = 2_000

const moment = z.iso.datetime({ offset: true, error: 'must be a time such as 2027-01-31T12:00:00Z' })

export const metricRangeSchema = z.strictObject({
  /** Default: an hour before `to`. */
  from: moment.optional(),
  /** Default: now. */
  to: moment.optional(),
  /** Seconds; default: the finest that is kept for so long and has no more points than `mostPoints`. */
  step: z.coerce
    .number()
    .refine((step) => metricSteps.some(({ seconds }) => seconds === step), 'must be 10, 60 or 600')
    .optional(),
})

export type MetricRangeInput = z.input<typeof metricRangeSchema>

const pointSchema = z.object({
  at: z.string(),
  means: z.array(z.number().nullable()),
  peaks: z.array(z.number().nullable()),
})

const rangeAnswer = {
  from: z.string(),
  to: z.string(),
  step: z.number().int(),
}

export const appMetricsSchema = z.object({
  ...rangeAnswer,
  /** Of the numbers of each point, in their order. */
  metrics: z.array(z.enum(containerMetrics)),
  /** A container each; where one was replaced, two. */
  series: z.array(
    z.object({
      container: z.string(),
      process: z.string(),
      replica: z.number().int(),
      points: z.array(pointSchema),
    }),
  ),
  /** Those that went live in that time. */
  deployments: z.array(z.object({ id: z.string(), number: z.number().int(), liveAt: z.string() })),
})

export const hostMetricsSchema = z.object({
  ...rangeAnswer,
  metrics: z.array(z.enum(hostMetrics)),
  points: z.array(pointSchema),
})

export type MetricPoint = z.infer<typeof pointSchema>
export type AppMetrics = z.infer<typeof appMetricsSchema>
export type HostMetrics = z.infer<typeof hostMetricsSchema>
