import type { ProcessSettings, ProcessSettingsInput } from '@/platform/model/app-settings.ts'
import { commandFromText, textFromCommand } from '../../../../_deploy/settings-form.ts'

const mebibyte = 2 ** 20

/** A process as its form sends it. What is no number the platform refuses; what the form does not show stays. */
export function processFromForm(data: FormData, own?: ProcessSettings): ProcessSettingsInput {
  const text = (name: string) => String(data.get(name) ?? '').trim()
  const number = (name: string) => (text(name) === '' ? Number.NaN : Number(text(name).replace(',', '.')))
  const milliseconds = (name: string) => Math.round(number(name) * 1_000)
  return {
    command: commandFromText(text('command')) ?? [],
    entrypoint: commandFromText(text('entrypoint')),
    replicas: number('replicas'),
    limits: {
      ...own?.limits,
      memoryBytes: Math.round(number('memory') * mebibyte),
      cpuMillis: Math.round(number('cpu') * 1_000),
    },
    healthCheck: {
      command: commandFromText(text('healthCommand')),
      intervalMs: milliseconds('healthInterval'),
      timeoutMs: milliseconds('healthTimeout'),
      retries: number('healthRetries'),
      startPeriodMs: milliseconds('healthStartPeriod'),
      observationMs: milliseconds('healthObservation'),
    },
    stopGraceMs: text('stopGrace') === '' ? null : milliseconds('stopGrace'),
  }
}

/** The same as the form shows it; of a new one what the platform takes by itself. */
export function formFromProcess(own?: ProcessSettings) {
  const check = own?.healthCheck
  const seconds = (ms: number) => String(ms / 1_000)
  return {
    command: textFromCommand(own?.command.length === 0 ? null : (own?.command ?? null)),
    entrypoint: textFromCommand(own?.entrypoint ?? null),
    replicas: String(own?.replicas ?? 1),
    memory: String((own?.limits.memoryBytes ?? 512 * mebibyte) / mebibyte),
    cpu: String((own?.limits.cpuMillis ?? 1_000) / 1_000),
    healthCommand: textFromCommand(check?.command ?? null),
    healthInterval: seconds(check?.intervalMs ?? 500),
    healthTimeout: seconds(check?.timeoutMs ?? 2_000),
    healthRetries: String(check?.retries ?? 1),
    healthStartPeriod: seconds(check?.startPeriodMs ?? 60_000),
    healthObservation: seconds(check?.observationMs ?? 2_000),
    stopGrace: own?.stopGraceMs == null ? '' : seconds(own.stopGraceMs),
  }
}

/** Where the platform says that something is wrong with one of the fields. */
export const processPaths = {
  command: 'command',
  entrypoint: 'entrypoint',
  replicas: 'replicas',
  memory: 'limits.memoryBytes',
  cpu: 'limits.cpuMillis',
  healthCommand: 'healthCheck.command',
  healthInterval: 'healthCheck.intervalMs',
  healthTimeout: 'healthCheck.timeoutMs',
  healthRetries: 'healthCheck.retries',
  healthStartPeriod: 'healthCheck.startPeriodMs',
  healthObservation: 'healthCheck.observationMs',
  stopGrace: 'stopGraceMs',
} as const satisfies Record<keyof ReturnType<typeof formFromProcess>, string>
