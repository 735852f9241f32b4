'use client'

import { useTranslations } from 'next-intl'
import { TextField } from '../_ui/field.client.tsx'
import { SwitchField } from '../_ui/switch.client.tsx'
import { type SettingsForm, settingsPaths } from './settings-form.ts'
import { TimingFields } from './timing-fields.client.tsx'

interface ResourceFieldsProps {
  defaults: Omit<SettingsForm, 'image'>
  errorOf(path: string): string | undefined
}

export function ResourceFields({ defaults, errorOf }: ResourceFieldsProps) {
  const t = useTranslations('deploy')
  return (
    <div className="grid gap-4 sm:grid-cols-3">
      <SwitchField
        className="sm:col-span-3"
        label={t('isPublic')}
        name="isPublic"
        defaultChecked={defaults.isPublic}
        description={t('isPublicDescription')}
      />
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
        className="sm:col-span-2"
        label={t('command')}
        name="command"
        placeholder="node server.js"
        mono
        spellCheck={false}
        defaultValue={defaults.command}
        description={t('commandDescription')}
        hint={t('optional')}
        error={errorOf(settingsPaths.command)}
      />
      <TextField
        label={t('stopGrace')}
        name="stopGrace"
        inputMode="decimal"
        suffix={t('seconds')}
        defaultValue={defaults.stopGrace}
        description={t('stopGraceDescription')}
        error={errorOf(settingsPaths.stopGrace)}
      />
      <TextField
        className="sm:col-span-3"
        label={t('releaseCommand')}
        name="releaseCommand"
        placeholder="npm run migrate"
        mono
        spellCheck={false}
        defaultValue={defaults.releaseCommand}
        description={t('releaseCommandDescription')}
        hint={t('optional')}
        error={errorOf(settingsPaths.releaseCommand)}
      />
      <HealthFields defaults={defaults} errorOf={errorOf} />
      <RollbackFields defaults={defaults} errorOf={errorOf} />
    </div>
  )
}

/** What can be gone back to, and what is gone back from. */
function RollbackFields({ defaults, errorOf }: ResourceFieldsProps) {
  const t = useTranslations('deploy')
  return (
    <>
      <TextField
        label={t('keptDeployments')}
        name="keptDeployments"
        inputMode="numeric"
        defaultValue={defaults.keptDeployments}
        error={errorOf(settingsPaths.keptDeployments)}
        description={t('keptDeploymentsDescription')}
      />
      <SwitchField
        className="sm:col-span-2 sm:pt-6"
        label={t('rollbackOnCrash')}
        name="rollbackOnCrash"
        defaultChecked={defaults.rollbackOnCrash}
        description={t('rollbackOnCrashDescription')}
      />
    </>
  )
}

/** What is asked of a container, and how patiently. */
function HealthFields({ defaults, errorOf }: ResourceFieldsProps) {
  const t = useTranslations('deploy')
  return (
    <>
      <TextField
        className="sm:col-span-2"
        label={t('healthPath')}
        name="healthPath"
        placeholder="/healthz"
        mono
        defaultValue={defaults.healthPath}
        description={t('healthPathDescription')}
        hint={t('optional')}
        error={errorOf(settingsPaths.healthPath)}
      />
      <TextField
        label={t('healthStatus')}
        name="healthStatus"
        inputMode="numeric"
        placeholder="200–399"
        defaultValue={defaults.healthStatus}
        hint={t('optional')}
        error={errorOf(settingsPaths.healthStatus)}
      />
      <TextField
        className="sm:col-span-3"
        label={t('healthCommand')}
        name="healthCommand"
        placeholder="pg_isready"
        mono
        spellCheck={false}
        defaultValue={defaults.healthCommand}
        description={t('healthCommandDescription')}
        hint={t('optional')}
        error={errorOf(settingsPaths.healthCommand)}
      />
      <div className="grid grid-cols-2 gap-4 sm:col-span-3 sm:grid-cols-5">
        <TimingFields defaults={defaults} paths={settingsPaths} errorOf={errorOf} />
      </div>
    </>
  )
}
