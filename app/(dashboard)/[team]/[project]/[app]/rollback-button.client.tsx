'use client'

import { Undo2 } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { rollbackAction } from '../../../../_actions/deployments.ts'
import { Button } from '../../../../_ui/button.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

interface RollbackButtonProps {
  deploymentId: string
  number: number
  path: string
}

export function RollbackButton({ deploymentId, number, path }: RollbackButtonProps) {
  const t = useTranslations('deployments')
  const router = useRouter()
  const { run, pending } = useAction()
  return (
    <Button
      size="small"
      pending={pending}
      aria-label={t('rollBackTo', { number })}
      onClick={() => run(() => rollbackAction(deploymentId), { onDone: () => router.push(path) })}
    >
      <Undo2 aria-hidden />
      {t('rollBack')}
    </Button>
  )
}
