import { z } from 'zod'
import type { LogTerm } from './log-query.ts'

/** What the worker that keeps an app's logs is asked, and what it answers. */

const moment = z.iso.datetime({ offset: true, error: 'must be a time such as 2026-05-01T12:00:00Z' })

export const logFilterSchema = z.object({
  terms: z.array(z.custom<LogTerm>((value) => typeof value === 'object')).optional(),
  stream: z.enum(['stdout', 'stderr']).optional(),
  containerId: z.string().max(100).optional(),
  deploymentId: z.string().max(100).optional(),
  process: z.string().max(40).optional(),
  replica: z.number().int().min(0).optional(),
  /** ISO 8601: this moment and later, this moment and earlier. */
  since: moment.optional(),
  until: moment.optional(),
})

export const logSearchSchema = logFilterSchema.extend({
  /** Only lines before or after this number. */
  before: z.number().int().optional(),
  after: z.number().int().optional(),
  /** Newest first is how one reads back, oldest first how one goes on. */
  order: z.enum(['newest', 'oldest']),
  limit: z.number().int().min(0),
  /** How long to look at most, in milliseconds: what was found until then is the answer. */
  budgetMs: z.number().optional(),
})

export const logCountSchema = logFilterSchema.extend({
  buckets: z.number().int().min(1).max(1_000),
  budgetMs: z.number().optional(),
})

export type LogFilter = z.infer<typeof logFilterSchema>
export type LogSearch = z.infer<typeof logSearchSchema>
export type LogCount = z.infer<typeof logCountSchema>

/** A line that is kept. */
export interface StoredLine {
  /** Its place among the lines of its app: 1 is the first that was ever kept, and none is left out. */
  number: number
  /** ISO 8601, microseconds, UTC. */
  time: string
  stream: 'stdout' | 'stderr'
  text: string
  containerId: string
  deploymentId: string
  process: string
  replica: number
}

export interface LogPage {
  lines: StoredLine[]
  /** Where the next page begins (`before` or `after` of the same search); null: there is nothing more. */
  next: number | null
  /** Time of the last line that was looked at when the budget ended the search; null: it was not ended. */
  stoppedAt: string | null
  /** First and last line that are kept of the app, when any are. */
  first: number | null
  last: number | null
  /** What is written now can't be kept: it stays with its container until there is room. */
  isDiskFull: boolean
}

export const logHistogramSchema = z.object({
  /** ISO 8601 */
  from: z.string(),
  bucketMs: z.number(),
  buckets: z.array(
    z.object({ total: z.number().int(), warnings: z.number().int(), errors: z.number().int() }),
  ),
  /** False when the budget ended it: the oldest buckets are not counted. */
  isComplete: z.boolean(),
})

export type LogHistogram = z.infer<typeof logHistogramSchema>
