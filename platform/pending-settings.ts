/** In which settings what is set for an app differs from what its live deployment runs with. */
import { changesBetween, type Facts } from './audit-changes.ts'
import type { AppSettings } from './model/app-settings.ts'
import { buildSettingsSchema } from './model/builds.ts'
import type { PendingChange } from './model/pending-changes.ts'

export type SettingChange = Pick<PendingChange, 'field' | 'change' | 'before' | 'after'>

/** What of these comes or goes is one change, whatever is set of it. */
const groups = ['processes', 'ports'] as const

/** An app that is built, with nothing said of how, differs in nothing from one that was not built so far. */
const plainBuild = buildSettingsSchema.parse({})

/** Without what needs no deployment: when to deploy by itself, and what is kept. */
export function settingChanges(live: AppSettings, wanted: AppSettings): SettingChange[] {
  const stays = (group: (typeof groups)[number], name: string) =>
    Object.hasOwn(live[group], name) && Object.hasOwn(wanted[group], name)
  const facts = (settings: AppSettings): Facts => {
    const { follow: _, keptDeployments: _kept, ...running } = settings
    const staying = groups.map((group) => [
      group,
      Object.fromEntries(Object.entries(settings[group]).filter(([name]) => stays(group, name))) as Facts,
    ])
    const build = settings.build ?? plainBuild
    return { settings: { ...running, build, ...Object.fromEntries(staying) } }
  }
  const fields = changesBetween(facts(live), facts(wanted))
  const whole = groups.flatMap((group) => {
    const [before, after] = [live[group] as Facts, wanted[group] as Facts]
    return Object.keys({ ...before, ...after })
      .filter((name) => !stays(group, name))
      .map((name) => ({
        field: `settings.${group}.${name}`,
        before: before[name] ?? null,
        after: after[name] ?? null,
      }))
  })
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
