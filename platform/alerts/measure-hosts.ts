/** What the rules of hosts are judged by. */
import type { HostAlertRule } from '../model/alerts.ts'
import type { Platform } from '../open.ts'
import type { Found } from './judge.ts'
import { usedLately } from './measure-use.ts'
import type { EffectiveRule } from './settings.ts'

/** Of each rule of each host: its value now. `rules` has the hosts' ids. */
export async function measureHosts(
  platform: Platform,
  rules: ReadonlyMap<string, EffectiveRule[]>,
  now: Date,
): Promise<Map<string, Map<string, Found>>> {
  const hosts = await platform.db.host.findMany({
    where: { id: { in: [...rules.keys()] } },
    select: { id: true, lastSeenAt: true },
  })
  const used = await usedLately(platform, now, 'hosts')
  const found = new Map<string, Map<string, Found>>()
  for (const { id, lastSeenAt } of hosts) {
    const [own] = used.get(id) ?? []
    const of = (rule: HostAlertRule): Found => {
      if (rule !== 'silent') return known(own?.[rule])
      return lastSeenAt === null ? 'unknown' : known((now.getTime() - lastSeenAt.getTime()) / 60_000)
    }
    found.set(id, new Map((rules.get(id) ?? []).map(({ rule }) => [rule, of(rule as HostAlertRule)])))
  }
  return found
}

function known(value: number | null | undefined): Found {
  return value === null || value === undefined ? 'unknown' : { value, about: null }
}
