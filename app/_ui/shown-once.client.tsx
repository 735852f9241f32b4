'use client'

import { useTranslations } from 'next-intl'
import { Button } from './button.tsx'
import { CopyButton } from './copy-button.client.tsx'
import { ModalClose } from './dialog.client.tsx'
import { TextField } from './field.client.tsx'

interface ShownOnceProps {
  label: string
  copyLabel: string
  text: string
}

/** In a dialog: what is never shown again, such as a token, to be copied now. */
export function ShownOnce({ label, copyLabel, text }: ShownOnceProps) {
  const t = useTranslations('common')
  return (
    <div className="space-y-5">
      <div className="flex items-end gap-2">
        <TextField className="flex-1" label={label} value={text} readOnly mono />
        <CopyButton text={text} label={copyLabel} />
      </div>
      <div className="flex justify-end">
        <ModalClose render={<Button tone="primary">{t('done')}</Button>} />
      </div>
    </div>
  )
}
