'use client'

import { useTranslations } from 'next-intl'
import type { RegistryLogin } from '@/platform/model/registry-logins.ts'
import { deleteRegistryLoginAction, testRegistryLoginAction } from '../../../../_actions/registries.ts'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'
import { Modal, useDialogs } from '../../../../_ui/dialog.client.tsx'
import { MenuItem, MoreMenu } from '../../../../_ui/menu.client.tsx'
import { toast } from '../../../../_ui/toast.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'
import { LoginForm } from './login-form.client.tsx'

/** What can be done with a login. */
export function LoginMenu({ login }: { login: RegistryLogin }) {
  const t = useTranslations('registries')
  const { run } = useAction()
  const dialogs = useDialogs<'edit' | 'remove'>()
  const { id, host, usedBy } = login
  const tell = ({ problem }: { problem: string | null }) =>
    problem === null ? toast('success', t('testWorked', { host })) : toast('danger', problem)
  return (
    <>
      <MoreMenu label={t('menu', { host })}>
        <MenuItem onClick={() => run(() => testRegistryLoginAction(id), { onDone: tell })}>
          {t('test')}
        </MenuItem>
        <MenuItem onClick={() => dialogs.show('edit')}>{t('edit')}</MenuItem>
        <MenuItem danger onClick={() => dialogs.show('remove')}>
          {t('remove')}
        </MenuItem>
      </MoreMenu>
      <Modal {...dialogs.of('edit')} title={t('editTitle', { host })} description={t('editDescription')}>
        <LoginForm login={login} onDone={dialogs.close} />
      </Modal>
      <ConfirmDialog
        {...dialogs.of('remove')}
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
