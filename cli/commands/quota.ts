import {
  type ChangeQuotaInput,
  type QuotaName,
  quotaNames,
  type TeamUse,
} from '../../platform/model/quotas.ts'
import { operatorApi } from '../api.ts'
import { table } from '../engine/table.ts'
import { CommandError, say } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings } from '../settings.ts'

/** As they are typed: memory and disk in GiB, processors as numbers, `none` for as much as there is. */
export interface QuotaOptions extends HomeOptions {
  apps?: string
  memory?: string
  cpus?: string
  disk?: string
  logs?: string
  builds?: string
  ports?: string
}

const units = {
  apps: { option: 'apps', label: 'apps', size: 1 },
  memoryBytes: { option: 'memory', label: 'memory (GiB)', size: 2 ** 30 },
  cpuMillis: { option: 'cpus', label: 'processors', size: 1_000 },
  diskBytes: { option: 'disk', label: 'disk (GiB)', size: 2 ** 30 },
  logBytes: { option: 'logs', label: 'logs (GiB)', size: 2 ** 30 },
  builds: { option: 'builds', label: 'builds at once', size: 1 },
  ports: { option: 'ports', label: 'ports', size: 1 },
} as const satisfies Record<QuotaName, { option: keyof QuotaOptions; label: string; size: number }>

/** `berth quota TEAM`: what the team uses and may use, after what the options change. */
export async function quota(team: string, options: QuotaOptions): Promise<void> {
  const home = homeFolder(options)
  const api = operatorApi(home, mustHaveSettings(home))
  const path = `/teams/${encodeURIComponent(team)}`
  const change = quotaChange(options)
  const use =
    Object.keys(change).length === 0
      ? await api.get<TeamUse>(`${path}/usage`)
      : await api.patch<TeamUse>(`${path}/quota`, change)
  say(usageTable(use))
}

/** What the API is asked for. Throws for what is no amount. */
export function quotaChange(options: QuotaOptions): ChangeQuotaInput {
  const change: ChangeQuotaInput = {}
  for (const name of quotaNames) {
    const { option, size } = units[name]
    const text = options[option]
    if (text === undefined) continue
    const value = text === 'none' ? null : Number(text) * size
    if (text.trim() === '' || Number.isNaN(value))
      throw new CommandError(`--${option} must be a number, or none for no limit.`)
    change[name] = value === null ? null : Math.round(value)
  }
  return change
}

export function usageTable({ used, limits }: TeamUse): string {
  const amount = (name: QuotaName, value: number) =>
    String(Math.round((value / units[name].size) * 100) / 100)
  const rows = quotaNames.map((name) => {
    const limit = limits[name]
    return [units[name].label, amount(name, used[name]), limit === null ? 'none' : amount(name, limit)]
  })
  return table(['WHAT', 'USED', 'LIMIT'], rows)
}
