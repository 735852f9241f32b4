/** Which of a repository's images are kept for how long. */
import { z } from 'zod'

export const retentionSchema = z.strictObject({
  /** So many of the tags that were pushed last are kept; null: all of them. */
  keepLast: z.number().int().min(1, 'must be 1–1,000').max(1_000, 'must be 1–1,000').nullable().default(null),
  /** Tags that are kept whatever their age: names, with * for any characters. */
  keepTags: z
    .array(
      z
        .string()
        .trim()
        .min(1)
        .max(128, 'must be at most 128 characters')
        .regex(/^[A-Za-z0-9_.*-]+$/, 'must be a tag, with * for any characters'),
    )
    .max(50, 'must be at most 50 patterns')
    .default([]),
  /** What nothing names any more is deleted after so many days; null: it stays. */
  looseDays: z
    .number()
    .int()
    .min(0, 'must be 0–3,650')
    .max(3_650, 'must be 0–3,650')
    .nullable()
    .default(null),
})

export type Retention = z.infer<typeof retentionSchema>

/** What is there, as far as it matters here. */
export interface Kept {
  tags: { name: string; digest: string; pushedAt: Date }[]
  images: { digest: string; children: string[]; subject: string | null; looseSince: Date | null }[]
  /** Digests that a deployment runs, is about to run, or can be rolled back to. */
  needed: ReadonlySet<string>
}

export interface RetentionPlan {
  /** Tags to take away. */
  tags: string[]
  /** Digests to delete, now: what only those tags named waits for its own days. */
  images: string[]
  /** Tags that the rules would take away if no deployment needed them. */
  spared: string[]
}

/** What the rules take away now. An image that a deployment needs is never among it, and neither is its index. */
export function planRetention(rules: Retention, { tags, images, needed }: Kept, now: Date): RetentionPlan {
  const byDigest = new Map(images.map((image) => [image.digest, image]))
  const isNeeded = (digest: string): boolean =>
    needed.has(digest) || (byDigest.get(digest)?.children.some((child) => needed.has(child)) ?? false)
  const patterns = rules.keepTags.map(globPattern)
  const newest = [...tags].sort(
    (a, b) => b.pushedAt.getTime() - a.pushedAt.getTime() || (a.name < b.name ? 1 : -1),
  )
  const beyond =
    rules.keepLast === null
      ? []
      : newest.filter(({ name }) => !patterns.some((pattern) => pattern.test(name))).slice(rules.keepLast)
  const { looseDays } = rules
  const before = looseDays === null ? null : now.getTime() - looseDays * 86_400_000
  const loose = images.filter(
    ({ digest, looseSince }) =>
      before !== null && looseSince !== null && looseSince.getTime() <= before && !isNeeded(digest),
  )
  return {
    tags: beyond.filter(({ digest }) => !isNeeded(digest)).map(({ name }) => name),
    images: loose.map(({ digest }) => digest),
    spared: beyond.filter(({ digest }) => isNeeded(digest)).map(({ name }) => name),
  }
}

/** `v1.*` as a pattern for the whole name; only * means anything. */
export function globPattern(glob: string): RegExp {
  const parts = glob.split(/\*+/).map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
