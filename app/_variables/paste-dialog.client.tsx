'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { parseEnvFile } from '@/platform/model/env-file.ts'
import { Button } from '../_ui/button.tsx'
import { Modal, ModalClose } from '../_ui/dialog.client.tsx'
import { TextAreaField } from '../_ui/field.client.tsx'
import { Notice } from '../_ui/notice.tsx'

interface PasteDialogProps {
  open: boolean
  onOpenChange(open: boolean): void
  onPaste(variables: { name: string; value: string }[]): void
}

export function PasteDialog({ open, onOpenChange, onPaste }: PasteDialogProps) {
  const t = useTranslations('variables')
  const tCommon = useTranslations('common')
  const [text, setText] = useState('')
  const { variables, badLines } = parseEnvFile(text)
  const close = () => {
    setText('')
    onOpenChange(false)
  }
  return (
    <Modal
      open={open}
      onOpenChange={(next) => (next ? onOpenChange(true) : close())}
      title={t('pasteTitle')}
      description={t('pasteDescription')}
    >
      <div className="space-y-4">
        <TextAreaField
          label={t('pasteLabel')}
          value={text}
          onValueChange={setText}
          rows={8}
          mono
          placeholder={'PORT=8080\nDATABASE_URL="postgres://…"'}
        />
        {badLines.length > 0 && (
          <Notice tone="warning">{t('badLines', { lines: badLines.slice(0, 5).join(', ') })}</Notice>
        )}
        <div className="flex items-center justify-end gap-2">
          <p role="status" className="mr-auto text-muted">
            {text === '' ? '' : t('found', { count: variables.length })}
          </p>
          <ModalClose render={<Button>{tCommon('cancel')}</Button>} />
          <Button
            tone="primary"
            disabled={variables.length === 0}
            onClick={() => {
              onPaste(variables)
              close()
            }}
          >
            {t('take')}
          </Button>
        </div>
      </div>
    </Modal>
  )
}
