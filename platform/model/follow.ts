import { compare, parse, type SemVer, satisfies, validRange } from 'semver'
import { z } from 'zod'

/** How an app follows what is pushed to its image's repository: by one tag, a range of versions, or a pattern. */
export const followKinds = ['tag', 'version', 'pattern'] as const

const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const wildcardPattern = /^[A-Za-z0-9_.*?-]{1,128}$/

export const followSchema = z
  .strictObject({
    by: z.enum(followKinds),
    /** `stable`; `^1.4`, `1.x`, `>=2 <3`; `release-*`. */
    value: z.string().trim().min(1, 'must not be empty').max(128, 'must be at most 128 characters'),
    /** Of versions: also those such as 2.0.0-rc.1. */
    preReleases: z.boolean().default(false),
    /** How often a registry elsewhere is asked; Berth's own tells by itself. */
    intervalSeconds: z
      .number()
      .int()
      .min(60, 'must be at least 60 seconds')
      .max(86_400, 'must be at most a day')
      .default(300),
  })
  .superRefine(({ by, value }, context) => {
    const problem = problemOf(by, value)
    if (problem !== null) context.addIssue({ code: 'custom', path: ['value'], message: problem })
  })

export type Follow = z.infer<typeof followSchema>

function problemOf(by: Follow['by'], value: string): string | null {
  switch (by) {
    case 'tag':
      return tagPattern.test(value) ? null : 'must be a tag such as stable'
    case 'version':
      return validRange(value) === null ? 'must be a range of versions such as ^1.4, 1.x or >=2 <3' : null
    case 'pattern':
      return wildcardPattern.test(value)
        ? null
        : 'must be a tag in which * stands for any characters and ? for one, such as release-*'
  }
}

export interface TagSeen {
  tag: string
  digest: string
  /** When it came to name this digest; null: nobody knows. */
  pushedAt: Date | null
}

/**
 * What is to run, of the tags that are there: the highest version that the range allows, or of the tags that the pattern
 * fits the one that was pushed last. Versions are whole ones, with or without a v: 1.4 is a name for one of them.
 */
export function chooseFollowed<Tag extends TagSeen>(follow: Follow, tags: readonly Tag[]): Tag | null {
  return fittingTags(follow, tags)[0] ?? null
}

/** All of them that fit, the one that is meant first. */
export function fittingTags<Tag extends TagSeen>(follow: Follow, tags: readonly Tag[]): Tag[] {
  return tags.filter(({ tag }) => fits(follow, tag)).sort((a, b) => order(follow, b, a))
}

/** Whether `tag` may come after `last`: nothing older is ever deployed because something newer was deleted. */
export function mayFollow(
  follow: Follow,
  tag: Pick<TagSeen, 'tag' | 'pushedAt'>,
  last: Pick<TagSeen, 'tag' | 'pushedAt'> | null,
): boolean {
  if (follow.by === 'tag' || last === null) return true
  const [version, before] = [parse(tag.tag), parse(last.tag)]
  if (follow.by === 'version' && version !== null && before !== null) {
    const difference = compare(version, before)
    if (difference !== 0) return difference > 0
  }
  return tag.pushedAt === null || last.pushedAt === null || tag.pushedAt > last.pushedAt
}

function fits({ by, value, preReleases }: Follow, tag: string): boolean {
  if (by === 'tag') return tag === value
  if (by === 'pattern') return fitsPattern(value, tag)
  const version = parse(tag)
  return version !== null && satisfies(version, value, { includePrerelease: preReleases })
}

function order(follow: Follow, a: TagSeen, b: TagSeen): number {
  const versions: [SemVer | null, SemVer | null] = [parse(a.tag), parse(b.tag)]
  const byVersion =
    follow.by === 'version' && versions[0] !== null && versions[1] !== null
      ? compare(versions[0], versions[1])
      : 0
  return byVersion || (a.pushedAt?.getTime() ?? 0) - (b.pushedAt?.getTime() ?? 0) || (a.tag < b.tag ? -1 : 1)
}

/** In time that grows with the product of both lengths at most: others choose both. */
export function fitsPattern(pattern: string, text: string): boolean {
  let [at, of, star, mark] = [0, 0, -1, 0]
  while (at < text.length) {
    if (pattern[of] === '*') {
      star = of++
      mark = at
    } else if (pattern[of] === '?' || pattern[of] === text[at]) {
      at++
      of++
    } else if (star >= 0) {
      of = star + 1
      at = ++mark
    } else return false
  }
  while (pattern[of] === '*') of++
  return of === pattern.length
}
