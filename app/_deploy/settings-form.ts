import type { AppSettings } from '@/platform/model/app-settings.ts'

const mebibyte = 2 ** 20

/** The part of an app's settings that people edit, as a form sends it. What is no number the platform refuses. */
export function settingsFromForm(data: FormData) {
  const text = (name: string) => String(data.get(name) ?? '').trim()
  const number = (name: string) => (text(name) === '' ? Number.NaN : Number(text(name)))
  const milliseconds = (name: string) => Math.round(number(name) * 1_000)
  return {
    image: text('image'),
    port: text('port') === '' ? null : number('port'),
    isPublic: data.get('isPublic') !== null,
    command: commandFromText(text('command')),
    replicas: number('replicas'),
    limits: {
      memoryBytes: Math.round(number('memory') * mebibyte),
      cpuMillis: Math.round(number('cpu') * 1_000),
    },
    healthCheck: {
      path: text('healthPath') === '' ? null : text('healthPath'),
      expectedStatus: text('healthStatus') === '' ? null : number('healthStatus'),
      command: commandFromText(text('healthCommand')),
      intervalMs: milliseconds('healthInterval'),
      timeoutMs: milliseconds('healthTimeout'),
      retries: number('healthRetries'),
      startPeriodMs: milliseconds('healthStartPeriod'),
      observationMs: milliseconds('healthObservation'),
    },
    release: { command: commandFromText(text('releaseCommand')) },
    rollbackOnCrash: data.get('rollbackOnCrash') !== null,
    keptDeployments: number('keptDeployments'),
    stopGraceMs: milliseconds('stopGrace'),
  }
}

const shell = ['/bin/sh', '-c']

/** As a Dockerfile has it: a JSON list is run as it is, anything else by a shell. */
export function commandFromText(text: string): string[] | null {
  if (text === '') return null
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list) && list.every((word) => typeof word === 'string')) return list
  } catch {
    // Then it is for the shell.
  }
  return [...shell, text]
}

/** The other way round. */
export function textFromCommand(command: string[] | null): string {
  if (command === null) return ''
  const [program, flag, text] = command
  const isShell = command.length === 3 && program === shell[0] && flag === shell[1] && text !== undefined
  return isShell && !text.startsWith('[') ? text : JSON.stringify(command)
}

/** The same settings as the form shows them. */
export function formFromSettings(settings: AppSettings) {
  const check = settings.healthCheck
  return {
    image: settings.image,
    port: settings.port === null ? '' : String(settings.port),
    isPublic: settings.isPublic,
    command: textFromCommand(settings.command),
    replicas: String(settings.replicas),
    memory: String(Math.round((settings.limits.memoryBytes / mebibyte) * 100) / 100),
    cpu: String(settings.limits.cpuMillis / 1_000),
    healthPath: check.path ?? '',
    healthStatus: check.expectedStatus === null ? '' : String(check.expectedStatus),
    healthCommand: textFromCommand(check.command),
    healthInterval: String(check.intervalMs / 1_000),
    healthTimeout: String(check.timeoutMs / 1_000),
    healthRetries: String(check.retries),
    healthStartPeriod: String(check.startPeriodMs / 1_000),
    healthObservation: String(check.observationMs / 1_000),
    releaseCommand: textFromCommand(settings.release.command),
    rollbackOnCrash: settings.rollbackOnCrash,
    keptDeployments: String(settings.keptDeployments),
    stopGrace: String(settings.stopGraceMs / 1_000),
  }
}

export type SettingsForm = ReturnType<typeof formFromSettings>

/** Where the platform says that something is wrong with one of the fields. */
export const settingsPaths = {
  image: 'settings.image',
  port: 'settings.port',
  isPublic: 'settings.isPublic',
  command: 'settings.command',
  replicas: 'settings.replicas',
  memory: 'settings.limits.memoryBytes',
  cpu: 'settings.limits.cpuMillis',
  healthPath: 'settings.healthCheck.path',
  healthStatus: 'settings.healthCheck.expectedStatus',
  healthCommand: 'settings.healthCheck.command',
  healthInterval: 'settings.healthCheck.intervalMs',
  healthTimeout: 'settings.healthCheck.timeoutMs',
  healthRetries: 'settings.healthCheck.retries',
  healthStartPeriod: 'settings.healthCheck.startPeriodMs',
  healthObservation: 'settings.healthCheck.observationMs',
  releaseCommand: 'settings.release.command',
  rollbackOnCrash: 'settings.rollbackOnCrash',
  keptDeployments: 'settings.keptDeployments',
  stopGrace: 'settings.stopGraceMs',
} as const satisfies Record<keyof SettingsForm, string>
