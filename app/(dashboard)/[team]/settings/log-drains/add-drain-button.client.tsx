'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { Button } from '../../../../_ui/button.tsx'
import { DialogButton } from '../../../../_ui/dialog.client.tsx'
import { DrainForm } from './drain-form.client.tsx'
import type { DrainScope } from './drain-scope.ts'

export function AddDrainButton({ teamId, scopes }: { teamId: string; scopes: DrainScope[] }) {
  const t = useTranslations('logDrains')
  return (
    <DialogButton
      title={t('addTitle')}
      description={t('addDescription')}
      trigger={
        <Button tone="primary">
          <Plus aria-hidden />
          {t('add')}
        </Button>
      }
    >
      {(close) => <DrainForm teamId={teamId} scopes={scopes} onDone={close} />}
    </DialogButton>
  )
}
