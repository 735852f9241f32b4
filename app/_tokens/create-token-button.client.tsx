'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../_ui/button.tsx'
import { Modal } from '../_ui/dialog.client.tsx'
import { ShownOnce } from '../_ui/shown-once.client.tsx'
import { TokenForm, type TokenFormProps } from './token-form.client.tsx'

export function CreateTokenButton(props: Omit<TokenFormProps, 'onDone'>) {
  const t = useTranslations('account')
  const [open, setOpen] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  return (
    <Modal
      open={open}
      onOpenChange={(next) => {
        setOpen(next)
        // Not on closing: it would still be seen to change.
        if (next) setSecret(null)
      }}
      title={secret === null ? t('createTitle') : t('createdTitle')}
      description={secret === null ? t('createDescription') : t('createdDescription')}
      trigger={
        <Button size="small">
          <Plus aria-hidden />
          {t('create')}
        </Button>
      }
    >
      {secret === null ? (
        <TokenForm {...props} onDone={setSecret} />
      ) : (
        <ShownOnce label={t('secret')} copyLabel={t('copyToken')} text={secret} />
      )}
    </Modal>
  )
}
