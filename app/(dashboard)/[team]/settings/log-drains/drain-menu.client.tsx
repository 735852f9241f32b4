'use client'

import { useTranslations } from 'next-intl'
import type { LogDrain } from '@/platform/model/log-drains.ts'
import { deleteDrainAction, testDrainAction, updateDrainAction } from '../../../../_actions/log-drains.ts'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'
import { Modal, useDialogs } from '../../../../_ui/dialog.client.tsx'
import { MenuItem, MoreMenu } from '../../../../_ui/menu.client.tsx'
import { toast } from '../../../../_ui/toast.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'
import { DrainForm } from './drain-form.client.tsx'
import type { DrainScope } from './drain-scope.ts'

/** What can be done with a drain. */
export function DrainMenu({ drain, scopes }: { drain: LogDrain; scopes: DrainScope[] }) {
  const t = useTranslations('logDrains')
  const { run } = useAction()
  const dialogs = useDialogs<'edit' | 'remove'>()
  const { id, name, isEnabled } = drain
  const tell = ({ problem }: { problem: string | null }) =>
    problem === null ? toast('success', t('testWorked', { name })) : toast('danger', problem)
  return (
    <>
      <MoreMenu label={t('menu', { name })}>
        <MenuItem onClick={() => run(() => testDrainAction(id), { onDone: tell })}>{t('test')}</MenuItem>
        <MenuItem onClick={() => dialogs.show('edit')}>{t('edit')}</MenuItem>
        <MenuItem onClick={() => run(() => updateDrainAction(id, { isEnabled: !isEnabled }))}>
          {isEnabled ? t('disable') : t('enable')}
        </MenuItem>
        <MenuItem danger onClick={() => dialogs.show('remove')}>
          {t('remove')}
        </MenuItem>
      </MoreMenu>
      <Modal {...dialogs.of('edit')} title={t('editTitle', { name })} description={t('editDescription')}>
        <DrainForm drain={drain} scopes={scopes} onDone={dialogs.close} />
      </Modal>
      <ConfirmDialog
        {...dialogs.of('remove')}
        title={t('removeTitle', { name })}
        description={t('removeDescription')}
        confirmLabel={t('remove')}
        action={() => deleteDrainAction(id)}
        done={t('removed', { name })}
      />
    </>
  )
}
