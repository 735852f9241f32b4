'use client'

import { MoreHorizontal } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { RegistryLogin } from '@/platform/model/registry-logins.ts'
import { deleteRegistryLoginAction, testRegistryLoginAction } from '../../../../_actions/registries.ts'
import { buttonStyle } from '../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'
import { Modal } from '../../../../_ui/dialog.client.tsx'
import { MenuButton, MenuItem } from '../../../../_ui/menu.client.tsx'
import { toast } from '../../../../_ui/toast.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'
import { LoginForm } from './login-form.client.tsx'

/** What can be done with a login. */
export function LoginMenu({ login }: { login: RegistryLogin }) {
  const t = useTranslations('registries')
  const { run } = useAction()
  const [open, setOpen] = useState<'edit' | 'remove' | null>(null)
  const { id, host, usedBy } = login
  const tell = ({ problem }: { problem: string | null }) =>
    problem === null ? toast('success', t('testWorked', { host })) : toast('danger', problem)
  return (
    <>
      <MenuButton
        trigger={<MoreHorizontal aria-hidden />}
        label={t('menu', { host })}
        triggerClassName={buttonStyle({ tone: 'ghost', size: 'icon' })}
      >
        <MenuItem onClick={() => run(() => testRegistryLoginAction(id), { onDone: tell })}>
          {t('test')}
        </MenuItem>
        <MenuItem onClick={() => setOpen('edit')}>{t('edit')}</MenuItem>
        <MenuItem danger onClick={() => setOpen('remove')}>
          {t('remove')}
        </MenuItem>
      </MenuButton>
      <Modal
        open={open === 'edit'}
        onOpenChange={(isOpen) => !isOpen && setOpen(null)}
        title={t('editTitle', { host })}
        description={t('editDescription')}
      >
        <LoginForm login={login} onDone={() => setOpen(null)} />
      </Modal>
      <ConfirmDialog
        open={open === 'remove'}
        onOpenChange={(isOpen) => !isOpen && setOpen(null)}
        title={t('removeTitle', { host })}
        description={
          usedBy.length === 0
            ? t('removeUnused')
            : t('removeUsed', { count: usedBy.length, names: usedBy.map(({ name }) => name).join(', ') })
        }
        confirmLabel={t('remove')}
        action={() => deleteRegistryLoginAction(id)}
        done={t('removed', { host })}
      />
    </>
  )
}
