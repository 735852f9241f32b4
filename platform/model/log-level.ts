/** How serious a line is. Numbers order them, so that a search can ask for "this and worse". */
export const logLineLevels = { trace: 1, debug: 2, info: 3, warn: 4, error: 5, fatal: 6 } as const

export type LogLineLevel = keyof typeof logLineLevels

const names: Record<string, LogLineLevel> = {
  ...{ trace: 'trace', verbose: 'trace', finest: 'trace', debug: 'debug', fine: 'debug' },
  ...{ info: 'info', information: 'info', notice: 'info', log: 'info', inf: 'info' },
  ...{ warn: 'warn', warning: 'warn', wrn: 'warn' },
  ...{ error: 'error', err: 'error', severe: 'error', eror: 'error' },
  ...{ fatal: 'fatal', critical: 'fatal', crit: 'fatal', panic: 'fatal', emerg: 'fatal', alert: 'fatal' },
}

/** Null for a word that names no level. Any case. */
export function levelNamed(word: string): LogLineLevel | null {
  return names[word.toLowerCase()] ?? null
}

const jsonLevel =
  /"(?:level|severity|lvl|log\.level|levelname|@level)"\s*:\s*(?:"([A-Za-z]{3,11})"|(\d{1,3}))/
const pairLevel = /\b(?:level|severity|lvl)=["']?([A-Za-z]{3,11})\b/i
const leadingLevel =
  /(?:^|[\s[\]():|>*-])(TRACE|VERBOSE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|SEVERE|FATAL|CRIT(?:ICAL)?|PANIC)(?=$|[\s\]:|)])/i
/** Where a word for a level stands is near the beginning, after a time and a logger's name. */
const leadingChars = 80
const scannedChars = 2_000

/**
 * What a line says of its own level: a field of JSON (also pino's numbers) or of `key=value`, or a word near its
 * beginning. Null when it says nothing.
 */
export function levelOf(text: string): LogLineLevel | null {
  const start = text.length > scannedChars ? text.slice(0, scannedChars) : text
  if (start.startsWith('{')) {
    const found = jsonLevel.exec(start)
    if (found?.[1] !== undefined) return levelNamed(found[1])
    if (found?.[2] !== undefined) return levelNumbered(Number(found[2]))
    return null
  }
  const pair = pairLevel.exec(start)
  if (pair?.[1] !== undefined) return levelNamed(pair[1])
  const word = leadingLevel.exec(start.slice(0, leadingChars))
  return word?.[1] === undefined ? null : levelNamed(word[1])
}

/** As bunyan and pino count: 10 to 60. */
function levelNumbered(value: number): LogLineLevel | null {
  const order: LogLineLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
  return order[Math.floor(value / 10) - 1] ?? null
}
