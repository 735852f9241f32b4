'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../../../_ui/button.tsx'
import { Modal } from '../../../../_ui/dialog.client.tsx'
import { DrainForm } from './drain-form.client.tsx'
import type { DrainScope } from './drain-scope.ts'

export function AddDrainButton({ teamId, scopes }: { teamId: string; scopes: DrainScope[] }) {
  const t = useTranslations('logDrains')
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button tone="primary" onClick={() => setOpen(true)}>
        <Plus aria-hidden />
        {t('add')}
      </Button>
      <Modal open={open} onOpenChange={setOpen} title={t('addTitle')} description={t('addDescription')}>
        <DrainForm teamId={teamId} scopes={scopes} onDone={() => setOpen(false)} />
      </Modal>
    </>
  )
}
