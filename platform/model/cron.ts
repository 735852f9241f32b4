import { Cron } from 'croner'
import { z } from 'zod'

/** Five fields as crontab(5) has them, with names, lists, ranges, steps, L and #; or @hourly, @daily and so on. */
export const scheduleSchema = z
  .string()
  .trim()
  .max(200, 'must be at most 200 characters')
  .refine(isSchedule, 'must be five fields such as 30 2 * * 1-5 (minute, hour, day, month, day of the week)')
  .refine(
    (text) => !isSchedule(text) || nextTime(text, 'UTC', new Date()) !== null,
    'never comes, such as the 30th of February',
  )

export const timeZoneSchema = z
  .string()
  .max(64)
  .refine(isTimeZone, 'must be a time zone such as Europe/Berlin or UTC')

const nicknames = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/i

function isSchedule(text: string): boolean {
  // The library takes seconds and years too, which nobody can tell apart at a glance.
  if (!nicknames.test(text) && text.trim().split(/\s+/).length !== 5) return false
  try {
    new Cron(text, { paused: true, legacyMode: true }).stop()
    return true
  } catch {
    return false
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** The first time after `after` that a schedule names; null: there is none. An hour that the clock leaves out is made up for. */
export function nextTime(schedule: string, timeZone: string, after: Date): Date | null {
  return new Cron(schedule, { timezone: timeZone, paused: true, legacyMode: true }).nextRun(after) ?? null
}
