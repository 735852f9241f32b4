import type { QuotaName } from '@/platform/model/quotas.ts'
import { formatBytes } from '../../../../_ui/format.ts'

/** `2 GiB`, `1.5`, `12`. */
export function amountText(name: QuotaName, value: number, locale: string): string {
  if (name === 'memoryBytes' || name === 'diskBytes' || name === 'logBytes') return formatBytes(value, locale)
  const shown = name === 'cpuMillis' ? value / 1_000 : value
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(shown)
}
