'use client'

import { Undo2 } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { RollbackPlan } from '@/platform/model/rollback-plan.ts'
import { rollbackAction } from '../../../../_actions/deployments.ts'
import { Button } from '../../../../_ui/button.tsx'
import { Modal } from '../../../../_ui/dialog.client.tsx'
import { DialogForm } from '../../../../_ui/form.client.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { useAction } from '../../../../_ui/use-action.ts'
import { RollbackChanges } from './rollback-changes.tsx'

interface RollbackButtonProps {
  deploymentId: string
  number: number
  path: string
}

/** Shows what going back would change, and goes back. */
export function RollbackButton({ deploymentId, number, path }: RollbackButtonProps) {
  const t = useTranslations('deployments')
  const router = useRouter()
  const { run, pending, summary, form, clear } = useAction()
  const [open, setOpen] = useState(false)
  const [plan, setPlan] = useState<RollbackPlan | 'unknown' | null>(null)
  const problem = summary()

  async function show(next: boolean): Promise<void> {
    clear()
    setOpen(next)
    if (!next) return
    setPlan(null)
    const url = `/api/v1/deployments/${deploymentId}/rollback`
    const answer = await fetch(url, { headers: { accept: 'application/json' } }).catch(() => null)
    setPlan(answer?.ok ? await answer.json() : 'unknown')
  }

  return (
    <Modal
      open={open}
      onOpenChange={(next) => void show(next)}
      title={t('rollBackTo', { number })}
      description={t('rollBackDescription')}
      trigger={
        <Button size="small" aria-label={t('rollBackTo', { number })}>
          <Undo2 aria-hidden />
          {t('rollBack')}
        </Button>
      }
    >
      <DialogForm
        form={form}
        onSubmit={() => {
          run(() => rollbackAction(deploymentId), { onDone: () => router.push(path) })
        }}
        problem={problem}
        pending={pending}
        submit={t('rollBack')}
      >
        <div aria-busy={plan === null} className="min-h-24 space-y-3">
          {plan === 'unknown' && <Notice tone="warning">{t('planUnknown')}</Notice>}
          {plan !== null && plan !== 'unknown' && <RollbackChanges plan={plan} />}
        </div>
      </DialogForm>
    </Modal>
  )
}
