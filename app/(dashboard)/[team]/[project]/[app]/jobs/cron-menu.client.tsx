'use client'

import { Ellipsis, Pause, Pencil, Play, Trash2 } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { CronJob } from '@/platform/model/runs.ts'
import { deleteCronJobAction, runCronJobAction, updateCronJobAction } from '../../../../../_actions/jobs.ts'
import { Button, buttonStyle } from '../../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../../_ui/confirm-dialog.client.tsx'
import { Modal } from '../../../../../_ui/dialog.client.tsx'
import { MenuButton, MenuItem } from '../../../../../_ui/menu.client.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'
import { CronForm } from './cron-form.client.tsx'

interface CronMenuProps {
  job: CronJob
  path: string
  canRun: boolean
}

export function CronMenu({ job, path, canRun }: CronMenuProps) {
  const t = useTranslations('jobs')
  const router = useRouter()
  const { run, pending } = useAction()
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null)
  const close = () => setOpen(null)
  return (
    <div className="flex items-center gap-1">
      <Button
        size="small"
        pending={pending}
        disabled={!canRun}
        aria-label={t('runNowOf', { name: job.name })}
        onClick={() =>
          run(() => runCronJobAction(job.id), {
            onDone: ({ number }) => router.push(`${path}/${number}`),
          })
        }
      >
        <Play aria-hidden />
        {t('runNow')}
      </Button>
      <MenuButton
        label={t('menuOf', { name: job.name })}
        triggerClassName={buttonStyle({ tone: 'ghost', size: 'icon' })}
        trigger={<Ellipsis aria-hidden />}
      >
        <MenuItem onClick={() => setOpen('edit')}>
          <Pencil aria-hidden />
          {t('edit')}
        </MenuItem>
        <MenuItem onClick={() => run(() => updateCronJobAction(job.id, { isEnabled: !job.isEnabled }))}>
          {job.isEnabled ? <Pause aria-hidden /> : <Play aria-hidden />}
          {job.isEnabled ? t('switchOff') : t('switchOn')}
        </MenuItem>
        <MenuItem danger onClick={() => setOpen('delete')}>
          <Trash2 aria-hidden />
          {t('delete')}
        </MenuItem>
      </MenuButton>
      <Modal
        open={open === 'edit'}
        onOpenChange={(next) => setOpen(next ? 'edit' : null)}
        title={t('editTitle', { name: job.name })}
      >
        <CronForm job={job} onDone={close} />
      </Modal>
      <ConfirmDialog
        open={open === 'delete'}
        onOpenChange={(next) => setOpen(next ? 'delete' : null)}
        title={t('deleteTitle', { name: job.name })}
        description={t('deleteDescription')}
        confirmLabel={t('delete')}
        action={() => deleteCronJobAction(job.id)}
      />
    </div>
  )
}
