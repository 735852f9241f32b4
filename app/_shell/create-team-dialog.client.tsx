'use client'

import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { createTeamAction } from '../_actions/teams.ts'
import { Modal } from '../_ui/dialog.client.tsx'
import { NameForm } from './name-form.client.tsx'

export function CreateTeamDialog(props: { open: boolean; onOpenChange(open: boolean): void }) {
  const t = useTranslations('team')
  const router = useRouter()
  return (
    <Modal {...props} title={t('createTitle')} description={t('createDescription')}>
      <NameForm
        label={t('name')}
        submitLabel={t('create')}
        action={(name) => createTeamAction({ name })}
        onDone={({ path }) => {
          props.onOpenChange(false)
          router.push(path)
        }}
      />
    </Modal>
  )
}
