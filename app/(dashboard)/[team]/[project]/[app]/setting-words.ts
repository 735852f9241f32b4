import { useLocale, useTranslations } from 'next-intl'
import type { ProcessSettings } from '@/platform/model/app-settings.ts'
import type { PublishedPort } from '@/platform/model/ports.ts'
import { textFromCommand } from '../../../../_deploy/settings-form.ts'
import { formatBytes, formatDuration } from '../../../../_ui/format.ts'

/** What a list of changes calls a setting, and how it says what that was or is. */
export function useSettingWords() {
  const t = useTranslations('settingWords')
  const locale = useLocale()

  /** `settings.limits.memoryBytes` → Memory. What has no words yet is called as the API calls it. */
  function nameOf(field: string): string {
    const [area = '', ...rest] = field.split('.')
    const name = rest.join('.')
    if (area === 'variables') return t('variable', { name })
    if (area === 'volumes') return t('volume', { name })
    if (area === 'domains') return t('domain', { name })
    if (area !== 'settings') return field
    const [, group, one, own] = /^(processes|ports)\.([^.]+)(?:\.(.+))?$/.exec(name) ?? []
    if (one === undefined) return wordsOf(name)
    const whole = t(group === 'ports' ? 'port' : 'process', { name: one })
    return own === undefined ? whole : t('of', { whole, setting: wordsOf(own) })
  }

  function wordsOf(setting: string): string {
    const key = `names.${setting.replaceAll('.', '-')}`
    return t.has(key as never) ? t(key as never) : setting
  }

  function textOf(field: string, value: unknown): string {
    if (value === null || value === undefined) return '–'
    if (typeof value === 'boolean') return t(value ? 'yes' : 'no')
    if (typeof value === 'number') {
      if (field.endsWith('Bytes')) return formatBytes(value, locale)
      if (field.endsWith('cpuMillis')) return t('processors', { count: value / 1_000 })
      if (field.endsWith('Ms')) return formatDuration(value, locale)
    }
    if (isProcess(field, value)) return processText(value)
    if (isPort(field, value)) return portText(value)
    if (/^settings\..*(command|entrypoint)$/.test(field) && isCommand(value)) return textFromCommand(value)
    return typeof value === 'string' ? value : JSON.stringify(value)
  }

  function processText({ entrypoint, command, replicas, limits }: ProcessSettings): string {
    const program = textFromCommand([...(entrypoint ?? []), ...command])
    return `${program} · ${replicas} × ${formatBytes(limits.memoryBytes, locale)}`
  }

  function portText({ process, containerPort, sources }: PublishedPort): string {
    return [`${process}:${containerPort}`, ...sources].join(' · ')
  }

  return { nameOf, textOf }
}

function isProcess(field: string, value: unknown): value is ProcessSettings {
  const isOne = /^settings\.processes\.[^.]+$/.test(field)
  return isOne && typeof value === 'object' && value !== null && 'command' in value && 'limits' in value
}

function isPort(field: string, value: unknown): value is PublishedPort {
  const isOne = /^settings\.ports\.[^.]+$/.test(field)
  return (
    isOne && typeof value === 'object' && value !== null && 'containerPort' in value && 'sources' in value
  )
}

function isCommand(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string')
}
