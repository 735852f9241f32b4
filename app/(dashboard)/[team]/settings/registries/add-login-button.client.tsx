'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../../../_ui/button.tsx'
import { Modal } from '../../../../_ui/dialog.client.tsx'
import { LoginForm } from './login-form.client.tsx'

export function AddLoginButton({ teamId }: { teamId: string }) {
  const t = useTranslations('registries')
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button tone="primary" onClick={() => setOpen(true)}>
        <Plus aria-hidden />
        {t('add')}
      </Button>
      <Modal open={open} onOpenChange={setOpen} title={t('addTitle')} description={t('addDescription')}>
        <LoginForm teamId={teamId} onDone={() => setOpen(false)} />
      </Modal>
    </>
  )
}
