'use client'

import { MoreHorizontal } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { LogDrain } from '@/platform/model/log-drains.ts'
import { deleteDrainAction, testDrainAction, updateDrainAction } from '../../../../_actions/log-drains.ts'
import { buttonStyle } from '../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'
import { Modal } from '../../../../_ui/dialog.client.tsx'
import { MenuButton, MenuItem } from '../../../../_ui/menu.client.tsx'
import { toast } from '../../../../_ui/toast.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'
import { DrainForm } from './drain-form.client.tsx'
import type { DrainScope } from './drain-scope.ts'

/** What can be done with a drain. */
export function DrainMenu({ drain, scopes }: { drain: LogDrain; scopes: DrainScope[] }) {
  const t = useTranslations('logDrains')
  const { run } = useAction()
  const [open, setOpen] = useState<'edit' | 'remove' | null>(null)
  const { id, name, isEnabled } = drain
  const tell = ({ problem }: { problem: string | null }) =>
    problem === null ? toast('success', t('testWorked', { name })) : toast('danger', problem)
  return (
    <>
      <MenuButton
        trigger={<MoreHorizontal aria-hidden />}
        label={t('menu', { name })}
        triggerClassName={buttonStyle({ tone: 'ghost', size: 'icon' })}
      >
        <MenuItem onClick={() => run(() => testDrainAction(id), { onDone: tell })}>{t('test')}</MenuItem>
        <MenuItem onClick={() => setOpen('edit')}>{t('edit')}</MenuItem>
        <MenuItem onClick={() => run(() => updateDrainAction(id, { isEnabled: !isEnabled }))}>
          {isEnabled ? t('disable') : t('enable')}
        </MenuItem>
        <MenuItem danger onClick={() => setOpen('remove')}>
          {t('remove')}
        </MenuItem>
      </MenuButton>
      <Modal
        open={open === 'edit'}
        onOpenChange={(isOpen) => !isOpen && setOpen(null)}
        title={t('editTitle', { name })}
        description={t('editDescription')}
      >
        <DrainForm drain={drain} scopes={scopes} onDone={() => setOpen(null)} />
      </Modal>
      <ConfirmDialog
        open={open === 'remove'}
        onOpenChange={(isOpen) => !isOpen && setOpen(null)}
        title={t('removeTitle', { name })}
        description={t('removeDescription')}
        confirmLabel={t('remove')}
        action={() => deleteDrainAction(id)}
        done={t('removed', { name })}
      />
    </>
  )
}
