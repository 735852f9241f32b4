import { type Logger, pino } from 'pino'
import type { LogLevel } from './config.ts'

export type { Logger }

/** JSON lines on stdout. Fields that by their names hold a secret are never written. */
export function createLogger(options: { level: LogLevel; part: string }): Logger {
  return pino({
    level: options.level,
    base: { part: options.part },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['password', 'token', 'secret', 'authorization', 'cookie', '*.password', '*.token', '*.secret'],
      censor: '[secret]',
    },
  })
}
