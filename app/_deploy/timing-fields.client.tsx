'use client'

import { useTranslations } from 'next-intl'
import { TextField } from '../_ui/field.client.tsx'

const timings = [
  'healthStartPeriod',
  'healthObservation',
  'healthInterval',
  'healthTimeout',
  'healthRetries',
] as const

type ByTiming = Record<(typeof timings)[number], string>

interface TimingFieldsProps {
  defaults: ByTiming
  /** Where the platform says that something is wrong with them. */
  paths: ByTiming
  errorOf(path: string): string | undefined
}

/** How patiently a container is asked. */
export function TimingFields({ defaults, paths, errorOf }: TimingFieldsProps) {
  const t = useTranslations('deploy')
  return timings.map((name) => (
    <TextField
      key={name}
      label={t(name)}
      name={name}
      inputMode="decimal"
      suffix={name === 'healthRetries' ? undefined : t('seconds')}
      defaultValue={defaults[name]}
      error={errorOf(paths[name])}
    />
  ))
}
