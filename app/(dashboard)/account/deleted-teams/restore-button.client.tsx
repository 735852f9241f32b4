'use client'

import { useTranslations } from 'next-intl'
import { restoreTeamAction } from '../../../_actions/teams.ts'
import { Button } from '../../../_ui/button.tsx'
import { useAction } from '../../../_ui/use-action.ts'

export function RestoreButton({ id, name }: { id: string; name: string }) {
  const t = useTranslations('teamPages')
  const { run, pending } = useAction()
  return (
    <Button
      size="small"
      pending={pending}
      aria-label={t('restoreName', { name })}
      onClick={() => run(() => restoreTeamAction(id), { onDone: ({ path }) => window.location.assign(path) })}
    >
      {t('restore')}
    </Button>
  )
}
