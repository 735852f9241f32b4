import { z } from 'zod'
import type { Viewer } from './access.ts'
import { appAccess } from './app-access.ts'
import { changeSettings } from './change-settings.ts'
import { PlatformError } from './errors.ts'
import {
  mostProcesses,
  type ProcessSettingsInput,
  processNameSchema,
  processSchema,
} from './model/app-settings.ts'
import type { App } from './model/resources.ts'
import type { Platform } from './open.ts'
import { validate } from './validate.ts'

const named = z.object({ name: processNameSchema })

/**
 * Makes a process of an app, or replaces what one of that name runs; the next deployment runs it. Throws `invalid` for a
 * name that no process may have, and where there would be too many; `quota-exceeded`.
 */
export async function putProcess(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  name: string,
  input: ProcessSettingsInput,
): Promise<App> {
  const place = await appAccess(platform, viewer, appId, 'app.update')
  validate(named, { name })
  const own = validate(processSchema, input)
  return changeSettings(platform, viewer, place, {
    next(current) {
      const processes = { ...current.processes, [name]: own }
      if (Object.keys(processes).length > mostProcesses) throw tooMany()
      return { ...current, processes }
    },
  })
}

/** The next deployment runs without it. Throws `not-found` when the app's settings know no such process. */
export async function removeProcess(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  name: string,
): Promise<App> {
  const place = await appAccess(platform, viewer, appId, 'app.update')
  return changeSettings(platform, viewer, place, {
    next(current) {
      const { [name]: gone, ...processes } = current.processes
      if (gone === undefined)
        throw new PlatformError('not-found', `The app has no process ${name} beside web.`)
      return { ...current, processes }
    },
  })
}

function tooMany(): PlatformError {
  const message = `is one too many: an app has at most ${mostProcesses} processes beside web`
  return new PlatformError('invalid', `name: ${message}`, { fields: [{ path: 'name', message }] })
}
