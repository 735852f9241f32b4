import { parse, satisfies, validRange } from 'semver'
import { z } from 'zod'
import { fitsPattern } from './follow.ts'

/** What of a repository is kept. A tag that any rule keeps stays; without a rule for tags all of them stay. */
export const retentionSchema = z.strictObject({
  /** The tags that were pushed last. */
  keepLast: z
    .number()
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(1_000, 'must be at most 1000')
    .nullable()
    .default(null),
  /** `v*`, `release-?`: * stands for any characters and ? for one. Or a range of versions: `>=1.2`, `^2`. */
  keepTags: z
    .array(z.string().trim().min(1, 'must not be empty').max(128, 'must be at most 128 characters'))
    .max(20, 'must be at most 20')
    .default([])
    .superRefine((patterns, context) => {
      for (const [at, pattern] of patterns.entries())
        if (kindOf(pattern) === null) context.addIssue({ code: 'custom', path: [at], message: expected })
    }),
  /** How long an image stays that no tag names any more. Null: for ever. */
  untaggedDays: z
    .number()
    .int('must be a whole number of days')
    .min(1, 'must be at least a day')
    .max(3_650, 'must be at most 3650 days')
    .nullable()
    .default(null),
})

export type Retention = z.output<typeof retentionSchema>
export type RetentionInput = z.input<typeof retentionSchema>

const expected =
  'must be a tag in which * stands for any characters and ? for one, such as release-*, or a range of versions, such as ^1.4'

const wildcards = /^[A-Za-z0-9_.*?-]+$/

/** A tag or a pattern of tags comes first, as 1.x and 1.2 could be a range as well: `1.2` means the tag. */
function kindOf(pattern: string): 'pattern' | 'version' | null {
  if (/^[\^~<>=\s]/.test(pattern)) return validRange(pattern) === null ? null : 'version'
  if (wildcards.test(pattern)) return 'pattern'
  return validRange(pattern) === null ? null : 'version'
}

/** The rule that keeps the tag by its name; null: none does. In time that grows with the lengths' product at most. */
export function ruleKeeping({ keepTags }: Retention, tag: string): string | null {
  return keepTags.find((pattern) => fits(pattern, tag)) ?? null
}

function fits(pattern: string, tag: string): boolean {
  if (kindOf(pattern) === 'pattern') return fitsPattern(pattern, tag)
  const version = parse(tag)
  return version !== null && satisfies(version, pattern)
}

/** Whether any tag may ever go by these rules. */
export function limitsTags({ keepLast, keepTags }: Retention): boolean {
  return keepLast !== null || keepTags.length > 0
}

/** Null for what another version wrote that this one can't read: then everything stays. */
export function readRetention(stored: unknown): Retention | null {
  return stored === null || stored === undefined ? null : (retentionSchema.safeParse(stored).data ?? null)
}
