import type { AuditEvent } from './model/resources.ts'

const columns = [
  ...([
    'createdAt',
    'actor',
    'actorType',
    'actorId',
    'action',
    'targetType',
    'targetId',
    'targetName',
  ] as const),
  ...(['teamId', 'teamName', 'address', 'userAgent', 'changes', 'detail', 'id'] as const),
]

/** First line of the file (RFC 4180). */
export const csvHeader = `${columns.join(',')}\r\n`

export function csvLine(event: AuditEvent): string {
  return `${columns.map((column) => cell(event[column])).join(',')}\r\n`
}

/**
 * Spreadsheets take what begins with one of these for a formula, which could send the sheet elsewhere; an apostrophe
 * before it makes it text (https://owasp.org/www-community/attacks/CSV_Injection). Names are chosen by tenants.
 */
const formula = /^[\s\p{Cc}]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|^[\t\r\n]/u

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `"${(formula.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}
