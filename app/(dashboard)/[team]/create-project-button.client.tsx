'use client'

import { FolderPlus } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { createProjectAction } from '../../_actions/teams.ts'
import { NameForm } from '../../_shell/name-form.client.tsx'
import { Button } from '../../_ui/button.tsx'
import { Modal } from '../../_ui/dialog.client.tsx'

export function CreateProjectButton({ teamId }: { teamId: string }) {
  const t = useTranslations('project')
  const router = useRouter()
  const [open, setOpen] = useState(false)
  return (
    <Modal
      open={open}
      onOpenChange={setOpen}
      title={t('createTitle')}
      description={t('createDescription')}
      trigger={
        <Button>
          <FolderPlus aria-hidden />
          {t('new')}
        </Button>
      }
    >
      <NameForm
        label={t('name')}
        submitLabel={t('create')}
        action={(name) => createProjectAction(teamId, { name })}
        onDone={({ path }) => {
          setOpen(false)
          router.push(path)
        }}
      />
    </Modal>
  )
}
