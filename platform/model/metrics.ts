/**
 * What is measured, and how long it is kept. A point stands for `step` seconds from its time on, and has the mean and
 * the peak of each metric, in the order of these lists. Rates are per second.
 */
import { z } from 'zod'
import { type EdgeCount, edgeCounts } from './edge-use.ts'

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
  /** Containers of apps that run. */
  'containers',
] as const

export type ContainerMetric = (typeof containerMetrics)[number]
export type HostMetric = (typeof hostMetrics)[number]

/** The finest first. What is older than `keptSeconds` is there in the next one only. */
export const metricSteps = [
  { seconds: 10, keptSeconds: 2 * 3_600 },
  { seconds: 60, keptSeconds: 2 * 86_400 },
  { seconds: 600, keptSeconds: 30 * 86_400 },
  // A month of the step before would be more points than anybody is answered.
  { seconds: 3_600, keptSeconds: 30 * 86_400 },
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
    .refine((step) => metricSteps.some(({ seconds }) => seconds === step), 'must be 10, 60, 600 or 3600')
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

/** Of a point, or of the whole time: counts, not rates. */
const edgeNumbers = {
  ...(Object.fromEntries(edgeCounts.map((name) => [name, z.number()])) as Record<EdgeCount, z.ZodNumber>),
  /** Null where no answer began. */
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  /** Requests, WebSockets included, that were under way at once. */
  openPeak: z.number().int(),
}

export const edgeRangeSchema = metricRangeSchema.extend({
  /** With its path, as `domains` has it; default: all of them together. */
  domain: z.string().min(1).max(500).optional(),
})

export type EdgeRangeInput = z.input<typeof edgeRangeSchema>

export const edgeMetricsSchema = z.object({
  ...rangeAnswer,
  /** Until then, a point that is missing stands for nothing counted. */
  completeTo: z.string(),
  points: z.array(z.object({ at: z.string(), ...edgeNumbers })),
  /** Of the whole time. */
  total: z.object(edgeNumbers),
  /** Each that was asked for in that time, the busiest first; whatever `domain` was chosen. */
  domains: z.array(z.object({ domain: z.string(), ...edgeNumbers })),
  deployments: appMetricsSchema.shape.deployments,
})

/** Of a team's apps together, in a point or on the mean while it was measured. */
const teamNumbers = {
  cpuMillis: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  requests: z.number(),
  status5xx: z.number(),
  bytesIn: z.number(),
  bytesOut: z.number(),
}

export const teamMetricsSchema = z.object({
  ...rangeAnswer,
  completeTo: z.string(),
  points: z.array(z.object({ at: z.string(), ...teamNumbers })),
  /** At most `mostTopApps`, those that use the most processor time first. */
  apps: z.array(
    z.object({ id: z.string(), name: z.string(), slug: z.string(), project: z.string(), ...teamNumbers }),
  ),
})

export const mostTopApps = 20

export type TeamMetrics = z.infer<typeof teamMetricsSchema>
export type EdgeMetrics = z.infer<typeof edgeMetricsSchema>
export type EdgeNumbers = EdgeMetrics['total']
export type MetricPoint = z.infer<typeof pointSchema>
export type AppMetrics = z.infer<typeof appMetricsSchema>
export type HostMetrics = z.infer<typeof hostMetricsSchema>
