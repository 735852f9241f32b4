'use client'

import { useTranslations } from 'next-intl'
import type { CreateVolumeInput } from '@/platform/model/volumes.ts'
import { Card } from '../_ui/card.tsx'
import { TextField } from '../_ui/field.client.tsx'
import { SwitchField } from '../_ui/switch.client.tsx'

interface VolumeFieldsProps {
  has: boolean
  onChange(has: boolean): void
  errorOf(path: string): string | undefined
}

const [mebibyte, gibibyte] = [2 ** 20, 2 ** 30]

/** Where the platform says that something is wrong with it. */
export const volumePaths = ['name', 'sizeBytes', 'mountPath'].map((field) => `volumes.0.${field}`)

/** What is no number is no size: the platform says so. */
export function volumeFromForm(data: FormData): CreateVolumeInput {
  const text = (name: string) => String(data.get(name) ?? '').trim()
  const gibibytes = Number(text('volumeSize').replace(',', '.') || Number.NaN)
  return {
    name: text('volumeName'),
    mountPath: text('volumePath'),
    sizeBytes: Math.round((gibibytes * gibibyte) / mebibyte) * mebibyte,
  }
}

/** A volume that the first deployment of a new app has already. */
export function VolumeFields({ has, onChange, errorOf }: VolumeFieldsProps) {
  const t = useTranslations('deploy')
  const tVolumes = useTranslations('volumes')
  return (
    <Card>
      <div className="space-y-4 p-5">
        <SwitchField
          label={t('volume')}
          description={t('volumeDescription')}
          checked={has}
          onCheckedChange={onChange}
        />
        {has && (
          <div className="grid gap-4 sm:grid-cols-2">
            <TextField
              className="sm:col-span-2"
              label={tVolumes('mountPath')}
              name="volumePath"
              mono
              spellCheck={false}
              placeholder="/var/lib/postgresql/data"
              description={tVolumes('mountPathDescription')}
              error={errorOf('volumes.0.mountPath')}
            />
            <TextField
              label={tVolumes('name')}
              name="volumeName"
              defaultValue="data"
              error={errorOf('volumes.0.name')}
            />
            <TextField
              label={tVolumes('sizeLabel')}
              name="volumeSize"
              inputMode="decimal"
              suffix="GiB"
              defaultValue="1"
              error={errorOf('volumes.0.sizeBytes')}
            />
          </div>
        )}
      </div>
    </Card>
  )
}
