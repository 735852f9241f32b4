'use client'

import { Trash2 } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { removeFromRepositoryAction } from '../../../../_actions/repositories.ts'
import { Button } from '../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'

interface RemoveButtonProps {
  repositoryId: string
  what: { tag?: string; digest?: string }
  name: string
  /** By a deployment: then its name must be typed. */
  isNeeded: boolean
  /** Where to go when it is gone. */
  next?: string
}

export function RemoveButton({ repositoryId, what, name, isNeeded, next }: RemoveButtonProps) {
  const t = useTranslations('repositories')
  const router = useRouter()
  const kind = what.tag === undefined ? 'image' : 'tag'
  return (
    <ConfirmDialog
      title={t('removeTitle', { name })}
      description={isNeeded ? t('removeNeeded') : t(`removeDescription.${kind}`)}
      typed={isNeeded ? name : undefined}
      confirmLabel={t('remove')}
      done={t('removed')}
      trigger={
        <Button tone="ghost" size="icon" aria-label={t('removeName', { name })}>
          <Trash2 aria-hidden />
        </Button>
      }
      action={() => removeFromRepositoryAction(repositoryId, { ...what, force: isNeeded })}
      onDone={() => next !== undefined && router.push(next)}
    />
  )
}
