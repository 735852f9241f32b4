'use client'

import { useTranslations } from 'next-intl'
import { TextField } from '../_ui/field.client.tsx'
import { type SettingsForm, settingsPaths } from './settings-form.ts'

interface ResourceFieldsProps {
  defaults: Omit<SettingsForm, 'image'>
  errorOf(path: string): string | undefined
}

export function ResourceFields({ defaults, errorOf }: ResourceFieldsProps) {
  const t = useTranslations('deploy')
  return (
    <div className="grid gap-4 sm:grid-cols-3">
      <TextField
        label={t('memory')}
        name="memory"
        inputMode="numeric"
        defaultValue={defaults.memory}
        suffix="MiB"
        error={errorOf(settingsPaths.memory)}
      />
      <TextField
        label={t('cpu')}
        name="cpu"
        inputMode="decimal"
        defaultValue={defaults.cpu}
        suffix={t('cpuUnit')}
        error={errorOf(settingsPaths.cpu)}
      />
      <TextField
        label={t('replicas')}
        name="replicas"
        inputMode="numeric"
        defaultValue={defaults.replicas}
        error={errorOf(settingsPaths.replicas)}
      />
      <TextField
        className="sm:col-span-3"
        label={t('healthPath')}
        name="healthPath"
        placeholder="/healthz"
        mono
        defaultValue={defaults.healthPath}
        description={t('healthPathDescription')}
        hint={t('optional')}
        error={errorOf(settingsPaths.healthPath)}
      />
    </div>
  )
}
