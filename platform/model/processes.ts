import type { AppSettings, HealthCheck, Limits } from './app-settings.ts'

/** The process that answers requests: every app has it, and its settings are the app's own. */
export const web = 'web'

/** One of an app's processes as it runs. */
export interface AppProcess {
  name: string
  replicas: number
  limits: Limits
  /** How long one of its containers may take to end after its stop signal. */
  stopGraceMs: number
}

type Sized = Pick<AppSettings, 'replicas' | 'limits' | 'stopGraceMs' | 'processes'>

/** All of an app, `web` first and the others by name. */
export function processesOf(settings: Sized): AppProcess[] {
  const { replicas, limits, stopGraceMs, processes } = settings
  const others = Object.entries(processes).map(([name, own]) => ({
    ...{ name, replicas: own.replicas, limits: own.limits },
    stopGraceMs: own.stopGraceMs ?? stopGraceMs,
  }))
  return [{ name: web, replicas, limits, stopGraceMs }, ...others.sort((a, b) => (a.name < b.name ? -1 : 1))]
}

/** Null for one that these settings do not know. */
export function processOf(settings: Sized, name: string): AppProcess | null {
  return processesOf(settings).find((process) => process.name === name) ?? null
}

/** What is recorded as the port of a container of `web` that is asked by none: it stands, and that is all. */
export const noPort = 0

/** Whether a container of `web` is to answer by a port before it counts; else it need only go on running. */
export function answersByPort({
  isPublic,
  port,
  healthCheck,
}: Pick<AppSettings, 'isPublic' | 'port' | 'healthCheck'>): boolean {
  return isPublic || port !== null || healthCheck.path !== null
}

/** What is asked of a process of this name; of one that listens on nothing no path is. */
export function healthCheckOf(
  settings: Pick<AppSettings, 'healthCheck' | 'processes'>,
  name: string,
): HealthCheck {
  const own = settings.processes[name]?.healthCheck
  return name === web || own === undefined
    ? settings.healthCheck
    : { ...own, path: null, expectedStatus: null }
}
