import { formatBytes } from '../../../../_ui/format.ts'

/** What a setting was or is, in a list of changes: sizes in units, all else as the API writes it. */
export function formatSetting(field: string, value: unknown, locale: string): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'number' && field.endsWith('Bytes')) return formatBytes(value, locale)
  return typeof value === 'string' ? value : JSON.stringify(value)
}
