'use client'

import { FolderPlus } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { createProjectAction } from '../../_actions/teams.ts'
import { NameForm } from '../../_shell/name-form.client.tsx'
import { Button } from '../../_ui/button.tsx'
import { DialogButton } from '../../_ui/dialog.client.tsx'

export function CreateProjectButton({ teamId }: { teamId: string }) {
  const t = useTranslations('project')
  const router = useRouter()
  return (
    <DialogButton
      title={t('createTitle')}
      description={t('createDescription')}
      trigger={
        <Button>
          <FolderPlus aria-hidden />
          {t('new')}
        </Button>
      }
    >
      {(close) => (
        <NameForm
          label={t('name')}
          submitLabel={t('create')}
          action={(name) => createProjectAction(teamId, { name })}
          onDone={({ path }) => {
            close()
            router.push(path)
          }}
        />
      )}
    </DialogButton>
  )
}
