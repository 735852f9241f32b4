'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../_ui/button.tsx'
import { CreateTeamDialog } from './create-team-dialog.client.tsx'

export function CreateTeamButton() {
  const t = useTranslations('shell')
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button tone="primary" onClick={() => setOpen(true)}>
        <Plus aria-hidden />
        {t('createTeam')}
      </Button>
      <CreateTeamDialog open={open} onOpenChange={setOpen} />
    </>
  )
}
