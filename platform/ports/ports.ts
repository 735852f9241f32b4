import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Viewer } from '../access.ts'
import { appAccess } from '../app-access.ts'
import { changeSettings } from '../change-settings.ts'
import { PlatformError } from '../errors.ts'
import { type AppSettings, appSettingsSchema } from '../model/app-settings.ts'
import {
  type ChangePortInput,
  changePortSchema,
  hostPortOf,
  mostPorts,
  type Port,
  type PortList,
  type PublishedPort,
  type PublishPortInput,
  portName,
  publishPortSchema,
} from '../model/ports.ts'
import { web } from '../model/processes.ts'
import type { Platform } from '../open.ts'
import { runningSettings } from '../running-settings.ts'
import { validate } from '../validate.ts'
import { portTaken } from './claims.ts'
import { chooseFree, requireRange, requireUsable } from './free.ts'

/** Those that an app is set to have and those that lead to it now, by protocol and number. */
export async function listPorts(platform: Platform, viewer: Viewer, appId: string): Promise<PortList> {
  await appAccess(platform, viewer, appId, 'app.read')
  const app = await platform.db.app.findUniqueOrThrow({
    where: { id: appId },
    select: {
      settings: true,
      liveDeployment: { select: { snapshot: true, size: true } },
      host: { select: { refusedPorts: true } },
    },
  })
  const { ports: wanted } = appSettingsSchema.parse(app.settings)
  const live = app.liveDeployment === null ? {} : runningSettings(app.liveDeployment).ports
  const refused = z.record(z.string(), z.string()).parse(app.host?.refusedPorts ?? {})
  const { hostname } = new URL(platform.config.publicUrl)
  const shown = Object.entries({ ...live, ...wanted }).map(([name, port]): Port => {
    const state =
      wanted[name] === undefined ? 'going' : isDeepStrictEqual(live[name], wanted[name]) ? 'live' : 'waiting'
    const { protocol, hostPort } = hostPortOf(name)
    const problem = live[name] === undefined ? null : (refused[name] ?? null)
    return { name, protocol, hostPort, ...port, address: `${hostname}:${hostPort}`, state, problem }
  })
  return {
    data: shown.sort((a, b) => a.protocol.localeCompare(b.protocol) || a.hostPort - b.hostPort),
    range: platform.config.publishedPorts,
  }
}

/**
 * A port of the app's host leads to one of its processes from the next deployment on; it is the app's from now on.
 * Throws `invalid` and `conflict` at the field, and `quota-exceeded`.
 */
export async function publishPort(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: PublishPortInput,
): Promise<Port> {
  const place = await appAccess(platform, viewer, appId, 'port.publish')
  const { protocol, hostPort, process, containerPort, sources } = validate(publishPortSchema, input)
  requireRange(platform.config)
  if (hostPort !== null) await requireUsable(platform, place.hostId, { protocol, hostPort })
  const port = hostPort === null ? await chooseFree(platform, place.hostId, protocol) : { protocol, hostPort }
  const name = portName(port)
  await changeSettings(platform, viewer, place, {
    action: 'port.publish',
    next(current) {
      if (Object.hasOwn(current.ports, name)) throw portTaken(name, 'leads to this app already')
      if (Object.keys(current.ports).length >= mostPorts)
        throw new PlatformError('invalid', `An app has at most ${mostPorts} ports.`)
      return withPort(current, name, { process, containerPort, sources: [...new Set(sources)] })
    },
  })
  return shownPort(platform, viewer, appId, name)
}

/** Changes what is given, from the next deployment on. Throws `not-found` for a port that the app does not have. */
export async function changePort(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  name: string,
  input: ChangePortInput,
): Promise<Port> {
  const place = await appAccess(platform, viewer, appId, 'port.publish')
  const { process, containerPort, sources } = validate(changePortSchema, input)
  await changeSettings(platform, viewer, place, {
    action: 'port.change',
    next(current) {
      const before = portOf(current, name)
      return withPort(current, name, {
        process: process ?? before.process,
        containerPort: containerPort ?? before.containerPort,
        sources: sources ?? before.sources,
      })
    },
  })
  return shownPort(platform, viewer, appId, name)
}

/** The next deployment is without it. Throws `not-found`. */
export async function removePort(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  name: string,
): Promise<void> {
  const place = await appAccess(platform, viewer, appId, 'port.remove')
  await changeSettings(platform, viewer, place, {
    action: 'port.remove',
    next(current) {
      portOf(current, name)
      const { [name]: _, ...ports } = current.ports
      return { ...current, ports }
    },
  })
}

function withPort(current: AppSettings, name: string, port: PublishedPort): AppSettings {
  if (port.process !== web && !Object.hasOwn(current.processes, port.process)) {
    const message = `must be ${[web, ...Object.keys(current.processes).sort()].join(' or ')}`
    throw new PlatformError('invalid', `process ${message}.`, { fields: [{ path: 'process', message }] })
  }
  return { ...current, ports: { ...current.ports, [name]: port } }
}

/** Throws `not-found`. */
function portOf({ ports }: AppSettings, name: string): PublishedPort {
  const port = Object.hasOwn(ports, name) ? ports[name] : undefined
  return port ?? missing(name)
}

async function shownPort(platform: Platform, viewer: Viewer, appId: string, name: string): Promise<Port> {
  const { data } = await listPorts(platform, viewer, appId)
  return data.find((port) => port.name === name) ?? missing(name)
}

function missing(name: string): never {
  throw new PlatformError('not-found', `The app has no port ${name}.`)
}
