import { type Logger, pino } from 'pino'
import type { LogLevel } from './config.ts'

export type { Logger }

export interface LoggerOptions {
  level: LogLevel
  part: string
  /** `json` (the default): for programs. `text`: one line for people, who see the part's name and colour elsewhere. */
  format?: 'json' | 'text'
}

/** Lines on stdout. Fields that by their names hold a secret are never written. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    level: options.level,
    base: { part: options.part },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['password', 'token', 'secret', 'authorization', 'cookie', '*.password', '*.token', '*.secret'],
      censor: '[secret]',
    },
  }
  if (options.format !== 'text') return pino(settings)
  return pino(settings, { write: (line: string) => process.stdout.write(`${asText(line)}\n`) })
}

/** `warn  a log is not followed for a moment  container=dep_…-0 error="connection refused"`, then the stack if any. */
export function asText(jsonLine: string): string {
  const { level, time: _time, part: _part, msg, err, ...fields } = JSON.parse(jsonLine)
  const label = level >= 50 ? 'error' : level >= 40 ? 'warn ' : level >= 30 ? 'info ' : 'debug'
  const error = err?.message !== undefined && err.message !== msg ? { error: err.message } : {}
  const details = Object.entries({ ...fields, ...error }).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `${name}=${/\s/.test(text) ? JSON.stringify(text) : text}`
  })
  const stack = level >= 50 && typeof err?.stack === 'string' ? [`\n${err.stack}`] : []
  return [label, msg, ...details].join(' ') + stack.join('')
}
