import type { ImageUse, RetentionPlan, RetentionReason } from '../model/repositories.ts'
import { limitsTags, type Retention, ruleKeeping } from '../model/retention.ts'
import { familyOf, type ImageRow, sizeOf } from './contents.ts'

export interface RetentionInputs {
  /** Null: no rules, so everything stays. */
  rules: Retention | null
  /** In any order. */
  tags: readonly { name: string; digest: string; pushedAt: Date }[]
  images: ReadonlyMap<string, ImageRow>
  uses: readonly ImageUse[]
  now: Date
}

const dayMs = 24 * 60 * 60_000

/** What would go by these rules, and why each thing stays. What a deployment needs stays whatever they say. */
export function planRetention({ rules, tags, images, uses, now }: RetentionInputs): RetentionPlan {
  const newest = [...tags].sort(
    (a, b) => b.pushedAt.getTime() - a.pushedAt.getTime() || (a.name < b.name ? -1 : 1),
  )
  const usesOfFamily = (digest: string): RetentionReason[] => {
    const family = new Set(familyOf(images, digest).map((image) => image.digest))
    return uses.filter((use) => family.has(use.digest)).map((use) => ({ kind: 'use', use }))
  }
  return {
    tags: newest.map(({ name, digest, pushedAt }, at) => ({
      name,
      digest,
      pushedAt: pushedAt.toISOString(),
      keptBy: [...reasonsOfTag(rules, name, at + 1), ...usesOfFamily(digest)],
    })),
    untagged: [...images.values()]
      .filter(({ looseSince }) => looseSince !== null)
      .map((image) => {
        const since = image.looseSince ?? now
        return {
          digest: image.digest,
          since: since.toISOString(),
          sizeBytes: sizeOf(familyOf(images, image.digest)),
          keptBy: [...reasonsOfUntagged(rules, since, now), ...usesOfFamily(image.digest)],
        }
      }),
  }
}

function reasonsOfTag(rules: Retention | null, name: string, place: number): RetentionReason[] {
  if (rules === null || !limitsTags(rules)) return [{ kind: 'all-tags' }]
  const reasons: RetentionReason[] = []
  if (rules.keepLast !== null && place <= rules.keepLast) reasons.push({ kind: 'newest', place })
  const rule = ruleKeeping(rules, name)
  if (rule !== null) reasons.push({ kind: 'rule', rule })
  return reasons
}

function reasonsOfUntagged(rules: Retention | null, since: Date, now: Date): RetentionReason[] {
  const days = rules?.untaggedDays ?? null
  if (days === null) return [{ kind: 'untagged', until: null }]
  const until = new Date(since.getTime() + days * dayMs)
  return until > now ? [{ kind: 'untagged', until: until.toISOString() }] : []
}
