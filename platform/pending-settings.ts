/** In which settings what is set for an app differs from what its live deployment runs with. */
import { changesBetween, type Fact, type Facts } from './audit-changes.ts'
import type { AppSettings } from './model/app-settings.ts'
import type { PendingChange } from './model/pending-changes.ts'

export type SettingChange = Pick<PendingChange, 'field' | 'change' | 'before' | 'after'>

/** Without what needs no deployment: when to deploy by itself, and what is kept. A process that comes or goes is one. */
export function settingChanges(live: AppSettings, wanted: AppSettings): SettingChange[] {
  const [before, after] = [live.processes, wanted.processes]
  const stays = (name: string) => before[name] !== undefined && after[name] !== undefined
  const names = Object.keys({ ...before, ...after }).sort()
  const staying = (all: Facts) => Object.fromEntries(Object.entries(all).filter(([name]) => stays(name)))
  const facts = (settings: AppSettings): Facts => {
    const { follow: _, keptDeployments: _kept, processes, ...running } = settings
    return { settings: { ...running, processes: staying(processes as Facts) } }
  }
  const fields = changesBetween(facts(live), facts(wanted))
  const whole = names
    .filter((name) => !stays(name))
    .map((name) => ({
      field: `settings.processes.${name}`,
      before: (before[name] ?? null) as Fact,
      after: (after[name] ?? null) as Fact,
    }))
  return [...fields, ...whole]
    .map((each) => ({ ...each, change: kindOf(each) }))
    .sort((a, b) => (a.field < b.field ? -1 : 1))
}

function kindOf({ before, after }: { before: unknown; after: unknown }): PendingChange['change'] {
  if (before === null) return 'added'
  return after === null ? 'removed' : 'changed'
}

/** The settings with these fields as they are live. */
export function withLiveFields(current: AppSettings, live: AppSettings, fields: string[]): AppSettings {
  const result = structuredClone(current) as unknown as Record<string, unknown>
  for (const field of fields)
    copy(result, live as unknown as Record<string, unknown>, field.split('.').slice(1))
  return result as unknown as AppSettings
}

function copy(to: Record<string, unknown>, from: Record<string, unknown>, [name, ...rest]: string[]): void {
  if (name === undefined) return
  const [inside, source] = [to[name], from[name]]
  if (rest.length > 0 && isRecord(inside) && isRecord(source)) copy(inside, source, rest)
  else if (source === undefined) delete to[name]
  else to[name] = structuredClone(source)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
