import type { AppSettings } from '@/platform/model/app-settings.ts'

const mebibyte = 2 ** 20

/** The part of an app's settings that people edit, as a form sends it. What is no number the platform refuses. */
export function settingsFromForm(data: FormData) {
  const text = (name: string) => String(data.get(name) ?? '').trim()
  const number = (name: string) => (text(name) === '' ? Number.NaN : Number(text(name)))
  return {
    image: text('image'),
    port: text('port') === '' ? null : number('port'),
    replicas: number('replicas'),
    limits: {
      memoryBytes: Math.round(number('memory') * mebibyte),
      cpuMillis: Math.round(number('cpu') * 1_000),
    },
    healthCheck: { path: text('healthPath') === '' ? null : text('healthPath') },
  }
}

/** The same settings as the form shows them. */
export function formFromSettings(settings: AppSettings) {
  return {
    image: settings.image,
    port: settings.port === null ? '' : String(settings.port),
    replicas: String(settings.replicas),
    memory: String(Math.round((settings.limits.memoryBytes / mebibyte) * 100) / 100),
    cpu: String(settings.limits.cpuMillis / 1_000),
    healthPath: settings.healthCheck.path ?? '',
  }
}

export type SettingsForm = ReturnType<typeof formFromSettings>

/** Where the platform says that something is wrong with one of the fields. */
export const settingsPaths = {
  image: 'settings.image',
  port: 'settings.port',
  replicas: 'settings.replicas',
  memory: 'settings.limits.memoryBytes',
  cpu: 'settings.limits.cpuMillis',
  healthPath: 'settings.healthCheck.path',
} as const satisfies Record<keyof SettingsForm, string>
