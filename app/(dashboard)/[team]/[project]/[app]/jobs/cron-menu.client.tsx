'use client'

import { Pause, Pencil, Play, Trash2 } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import type { CronJob } from '@/platform/model/runs.ts'
import { deleteCronJobAction, runCronJobAction, updateCronJobAction } from '../../../../../_actions/jobs.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../../_ui/confirm-dialog.client.tsx'
import { Modal, useDialogs } from '../../../../../_ui/dialog.client.tsx'
import { MenuItem, MoreMenu } from '../../../../../_ui/menu.client.tsx'
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
  const dialogs = useDialogs<'edit' | 'delete'>()
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
      <MoreMenu label={t('menuOf', { name: job.name })}>
        <MenuItem onClick={() => dialogs.show('edit')}>
          <Pencil aria-hidden />
          {t('edit')}
        </MenuItem>
        <MenuItem onClick={() => run(() => updateCronJobAction(job.id, { isEnabled: !job.isEnabled }))}>
          {job.isEnabled ? <Pause aria-hidden /> : <Play aria-hidden />}
          {job.isEnabled ? t('switchOff') : t('switchOn')}
        </MenuItem>
        <MenuItem danger onClick={() => dialogs.show('delete')}>
          <Trash2 aria-hidden />
          {t('delete')}
        </MenuItem>
      </MoreMenu>
      <Modal {...dialogs.of('edit')} title={t('editTitle', { name: job.name })}>
        <CronForm job={job} onDone={dialogs.close} />
      </Modal>
      <ConfirmDialog
        {...dialogs.of('delete')}
        title={t('deleteTitle', { name: job.name })}
        description={t('deleteDescription')}
        confirmLabel={t('delete')}
        action={() => deleteCronJobAction(job.id)}
      />
    </div>
  )
}
