const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `1536` → `1.5 KiB`. */
export function formatBytes(bytes: number, locale: string): string {
  const power = bytes < 1 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  const digits = power === 0 || value >= 100 ? 0 : 1
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)} ${byteUnits[power]}`
}

/** `1240` → `1.2s`, `125000` → `2m 5s`, in the words of the language. */
export function formatDuration(ms: number, locale: string): string {
  const seconds = Math.max(0, ms) / 1_000
  if (seconds < 10) return unit(Math.floor(seconds * 10) / 10, 'second', locale, 1)
  const whole = Math.floor(seconds)
  if (whole < 60) return unit(whole, 'second', locale)
  if (whole < 3_600) return pair([Math.floor(whole / 60), 'minute'], [whole % 60, 'second'], locale)
  return pair([Math.floor(whole / 3_600), 'hour'], [Math.floor((whole % 3_600) / 60), 'minute'], locale)
}

/** The same of what is over, with milliseconds where it was shorter than a tenth of a second: `43` → `43ms`. */
export function formatTook(ms: number, locale: string): string {
  return ms < 100 ? unit(Math.max(0, Math.round(ms)), 'millisecond', locale) : formatDuration(ms, locale)
}

type Unit = 'millisecond' | 'second' | 'minute' | 'hour'

function pair(big: [number, Unit], small: [number, Unit], locale: string): string {
  const parts = [big, small].filter(([value]) => value > 0).map(([value, of]) => unit(value, of, locale))
  return parts.join(locale.startsWith('zh') ? '' : ' ')
}

function unit(value: number, of: Unit, locale: string, digits = 0): string {
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: of,
    unitDisplay: 'narrow',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value)
}

/** The name of an image without registry, tag and digest: `ghcr.io/org/api:1.2` → `api`. */
export function nameOfImage(reference: string): string {
  const path = reference.trim().split('@')[0] ?? ''
  const last = path.split('/').at(-1) ?? ''
  return last.split(':')[0] ?? ''
}

/** `sha256:0123…` → its first 12 digits, as people compare them. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12)
}
