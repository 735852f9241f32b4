/** Rows under their headings, each column as wide as its widest cell. */
export function table(headings: string[], rows: string[][]): string {
  const all = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))))
  return all
    .map((row) =>
      row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell) + 3)).join(''),
    )
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Columns of a terminal that a text takes: East Asian characters take two. */
export function width(text: string): number {
  let columns = 0
  for (const character of text)
    columns += /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u.test(character)
      ? 2
      : 1
  return columns
}

/** 512 B, 1.1 MB, 198 MB: decimal, as Docker shows them. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : Number(value.toPrecision(3))} ${units[unit]}`
}

/** 5 seconds, 12 minutes, 3 hours, 5 days … */
export function age(iso: string | null, nowMs = Date.now()): string {
  if (iso === null) return ''
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(iso)) / 1_000))
  const scale = [
    ['second', 60],
    ['minute', 60],
    ['hour', 48],
    ['day', 14],
    ['week', 9],
    ['month', 24],
  ] as const
  const lengths = [1, 60, 3_600, 86_400, 604_800, 2_629_800]
  for (const [index, [unit, most]] of scale.entries()) {
    const count = Math.floor(seconds / (lengths[index] ?? 1))
    if (count < most) return `${count} ${unit}${count === 1 ? '' : 's'}`
  }
  return `${Math.floor(seconds / 31_557_600)} years`
}

/** 3 weeks ago; empty when nobody knows. */
export function ago(iso: string | null): string {
  return iso === null ? '' : `${age(iso)} ago`
}

/** A digest's first twelve digits. */
export function short(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12)
}
