'use client'

import { useTranslations } from 'next-intl'
import type { Volume } from '@/platform/model/volumes.ts'
import { createVolumeAction, updateVolumeAction } from '../../../../../_actions/volumes.ts'
import { TextField } from '../../../../../_ui/field.client.tsx'
import { DialogForm } from '../../../../../_ui/form.client.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'

type VolumeFormProps = { onDone(): void } & ({ appId: string } | { volume: Volume })

const shown = ['name', 'mountPath', 'sizeBytes']
const [mebibyte, gibibyte] = [2 ** 20, 2 ** 30]

/** Of a new volume, or of one that is there. */
export function VolumeForm(props: VolumeFormProps) {
  const t = useTranslations('volumes')
  const tCommon = useTranslations('common')
  const volume = 'volume' in props ? props.volume : null
  const { run, pending, errorOf, summary, form } = useAction()
  const problem = summary(shown)

  function submit(data: FormData) {
    const text = (name: string) => String(data.get(name) ?? '').trim()
    const gibibytes = Number(text('size').replace(',', '.'))
    // What is no number is no size: the platform says so.
    const asked = Math.round((gibibytes * gibibyte) / mebibyte) * mebibyte
    const before = volume === null ? null : gibibytesOf(volume)
    const sizeBytes = volume !== null && text('size') === before ? volume.sizeBytes : asked
    const input = { name: text('name'), mountPath: text('mountPath'), sizeBytes }
    const action = () =>
      'volume' in props ? updateVolumeAction(props.volume.id, input) : createVolumeAction(props.appId, input)
    run(action, { onDone: props.onDone, done: tCommon('saved') })
  }

  return (
    <DialogForm form={form} onSubmit={submit} problem={problem} pending={pending} submit={tCommon('save')}>
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label={t('name')}
          name="name"
          autoFocus
          defaultValue={volume?.name ?? 'data'}
          error={errorOf('name')}
        />
        <TextField
          label={t('sizeLabel')}
          name="size"
          inputMode="decimal"
          suffix="GiB"
          defaultValue={volume === null ? '1' : gibibytesOf(volume)}
          error={errorOf('sizeBytes')}
        />
      </div>
      <TextField
        label={t('mountPath')}
        name="mountPath"
        mono
        defaultValue={volume?.mountPath}
        placeholder="/var/lib/postgresql/data"
        description={t('mountPathDescription')}
        spellCheck={false}
        error={errorOf('mountPath')}
      />
      {volume !== null && <p className="text-muted text-xs">{t('resizeNote')}</p>}
    </DialogForm>
  )
}

function gibibytesOf({ sizeBytes }: Volume): string {
  return String(Math.round((sizeBytes / gibibyte) * 1_000) / 1_000)
}
