import { edgeUseOf, type RecentEdgeUse } from '../edge-use.ts'
import { fewestRequests } from '../model/alerts.ts'
import type { Platform } from '../open.ts'
import { type Found, isPast } from './judge.ts'
import type { EffectiveRule } from './settings.ts'

/**
 * What visitors got of apps, by id and rule: the share of answers that failed, and the latency that 95 of 100 kept to,
 * within the time of each rule.
 */
export async function measureRequests(
  platform: Platform,
  apps: readonly { id: string }[],
  rules: ReadonlyMap<string, EffectiveRule[]>,
  now: Date,
): Promise<Map<string, Found>> {
  const asked = apps.flatMap(({ id }) =>
    (rules.get(id) ?? [])
      .filter(({ rule }) => rule === 'errors' || rule === 'latency')
      .map((rule) => ({ appId: id, sinceMs: (rule.setting.forSeconds ?? 0) * 1_000, rule })),
  )
  const use = asked.length === 0 ? [] : await edgeUseOf(platform, asked, now)
  return new Map(asked.map(({ appId, rule }, place) => [`${appId} ${rule.rule}`, foundIn(rule, use[place])]))
}

/** Few requests are enough to see that all is well, but not that something is wrong. */
function foundIn({ rule, setting }: EffectiveRule, use: RecentEdgeUse | undefined): Found {
  if (use === undefined || use.requests === 0) return 'unknown'
  const value = rule === 'errors' ? (use.errors5xx / use.requests) * 100 : use.p95Ms
  if (value === null) return 'unknown'
  const isBad = isPast(rule, value, setting.threshold)
  return isBad && use.requests < fewestRequests ? 'unknown' : { value, about: null }
}
