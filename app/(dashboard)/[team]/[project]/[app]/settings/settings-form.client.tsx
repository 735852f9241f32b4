'use client'

import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { updateAppAction } from '../../../../../_actions/apps.ts'
import { deployAction } from '../../../../../_actions/deployments.ts'
import { ResourceFields } from '../../../../../_deploy/resource-fields.client.tsx'
import {
  type SettingsForm as SettingsValues,
  settingsFromForm,
  settingsPaths,
} from '../../../../../_deploy/settings-form.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { TextField } from '../../../../../_ui/field.client.tsx'
import { Notice } from '../../../../../_ui/notice.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'

interface SettingsFormProps {
  appId: string
  path: string
  name: string
  values: SettingsValues
}

export function SettingsForm({ appId, path, name, values }: SettingsFormProps) {
  const t = useTranslations('appSettings')
  const tDeploy = useTranslations('deploy')
  const tCommon = useTranslations('common')
  const tVariables = useTranslations('variables')
  const router = useRouter()
  const save = useAction()
  const deploy = useAction()
  const [saved, setSaved] = useState(false)
  const problem = save.summary(['name', ...Object.values(settingsPaths)])

  return (
    <form
      ref={save.form}
      noValidate
      className="space-y-5"
      onChange={() => setSaved(false)}
      onSubmit={(event) => {
        event.preventDefault()
        const data = new FormData(event.currentTarget)
        const input = { name: String(data.get('name') ?? ''), settings: settingsFromForm(data) }
        save.run(() => updateAppAction(appId, input), { onDone: () => setSaved(true) })
      }}
    >
      <div className="grid gap-4 sm:grid-cols-3">
        <TextField
          className="sm:col-span-3"
          label={tDeploy('name')}
          name="name"
          defaultValue={name}
          description={t('nameDescription')}
          error={save.errorOf('name')}
        />
        <TextField
          className="sm:col-span-2"
          label={tDeploy('image')}
          name="image"
          mono
          spellCheck={false}
          defaultValue={values.image}
          error={save.errorOf(settingsPaths.image)}
        />
        <TextField
          label={tDeploy('port')}
          name="port"
          inputMode="numeric"
          placeholder={tDeploy('portAuto')}
          defaultValue={values.port}
          error={save.errorOf(settingsPaths.port)}
        />
      </div>
      <ResourceFields defaults={values} errorOf={save.errorOf} />
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      {saved && (
        <Notice
          tone="success"
          actions={
            <Button
              size="small"
              pending={deploy.pending}
              onClick={() => deploy.run(() => deployAction(appId), { onDone: () => router.push(path) })}
            >
              {tVariables('deployNow')}
            </Button>
          }
        >
          {tVariables('saved')}
        </Notice>
      )}
      <div className="flex justify-end border-t pt-4">
        <Button tone="primary" type="submit" pending={save.pending}>
          {tCommon('save')}
        </Button>
      </div>
    </form>
  )
}
