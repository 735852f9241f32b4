/** In the reader's zone. Engines differ in whether they read more than milliseconds, so those are cut off. */
export function dateOf(time: string): Date {
  return new Date(time.replace(/(\.\d{3})\d+/, '$1'))
}

/** `14:03:07.120`; what is no time stays as it is. */
export function clockOf(time: string): string {
  const date = dateOf(time)
  if (Number.isNaN(date.getTime())) return time
  const two = (value: number) => String(value).padStart(2, '0')
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}

/** A moment in so many words as a stretch of this length needs to tell its moments apart. */
export function momentOf(ms: number, stretchMs: number, locale: string): string {
  const isShort = stretchMs < 86_400_000
  return new Intl.DateTimeFormat(locale, {
    ...(isShort ? {} : { month: 'short', day: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
    ...(stretchMs < 600_000 ? { second: '2-digit' } : {}),
    hour12: false,
  }).format(ms)
}

/** For a control of type `datetime-local`, in the reader's zone. */
export function localInput(iso: string): string {
  const date = dateOf(iso)
  if (iso === '' || Number.isNaN(date.getTime())) return ''
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}

/** The other way; empty for what is no time. */
export function isoOf(local: string): string {
  const date = new Date(local)
  return local === '' || Number.isNaN(date.getTime()) ? '' : date.toISOString()
}
