'use client'

import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import {
  deleteUserAction,
  endUserSessionsAction,
  reactivateUserAction,
  resetTwoFactorAction,
  setAdministratorAction,
  suspendUserAction,
} from '../../../../_actions/admin.ts'
import { ActionButton } from '../../../../_ui/action-button.client.tsx'
import { Button } from '../../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'

interface Account {
  id: string
  name: string
}

export function AdministratorButton({ id, name, isAdmin }: Account & { isAdmin: boolean }) {
  const t = useTranslations('admin')
  return (
    <ConfirmDialog
      title={isAdmin ? t('unmakeTitle', { name }) : t('makeTitle', { name })}
      description={isAdmin ? t('unmakeDescription') : t('makeDescription')}
      confirmLabel={isAdmin ? t('unmake') : t('make')}
      done={isAdmin ? t('unmade') : t('made')}
      trigger={<Button size="small">{isAdmin ? t('unmake') : t('make')}</Button>}
      action={() => setAdministratorAction(id, !isAdmin)}
    />
  )
}

export function ResetTwoFactorButton({ id, name }: Account) {
  const t = useTranslations('admin')
  return (
    <ConfirmDialog
      title={t('resetTwoFactorTitle', { name })}
      description={t('resetTwoFactorDescription')}
      confirmLabel={t('reset')}
      done={t('twoFactorReset')}
      trigger={
        <Button size="small" aria-label={t('resetTwoFactor')}>
          {t('reset')}
        </Button>
      }
      action={() => resetTwoFactorAction(id)}
    />
  )
}

export function EndSessionsButton({ id, name }: Account) {
  const t = useTranslations('admin')
  return (
    <ConfirmDialog
      title={t('endSessionsTitle', { name })}
      description={t('endSessionsDescription')}
      confirmLabel={t('endSessions')}
      done={t('sessionsEnded')}
      trigger={<Button size="small">{t('endSessions')}</Button>}
      action={() => endUserSessionsAction(id)}
    />
  )
}

export function SuspendButton({ id, name, isSuspended }: Account & { isSuspended: boolean }) {
  const t = useTranslations('admin')
  if (isSuspended)
    return (
      <ActionButton size="small" done={t('reactivated')} action={() => reactivateUserAction(id)}>
        {t('reactivate')}
      </ActionButton>
    )
  return (
    <ConfirmDialog
      title={t('suspendTitle', { name })}
      description={t('suspendDescription')}
      confirmLabel={t('suspend')}
      done={t('suspendedDone')}
      trigger={<Button size="small">{t('suspend')}</Button>}
      action={() => suspendUserAction(id)}
    />
  )
}

interface DeleteProps {
  user: Account & { email: string }
  /** Names of the teams that nobody else owns. */
  orphans: string[]
  /** Who gets those: whoever deletes the account. */
  heir: string
}

export function DeleteAccountButton({ user, orphans, heir }: DeleteProps) {
  const t = useTranslations('admin')
  const router = useRouter()
  return (
    <ConfirmDialog
      title={t('deleteAccountTitle', { name: user.name })}
      description={
        orphans.length === 0
          ? t('deleteAccountDescription')
          : t('deleteAccountHeir', { count: orphans.length, teams: orphans.join(', ') })
      }
      confirmLabel={t('deleteAccount')}
      typed={user.email}
      done={t('accountDeleted')}
      trigger={
        <Button size="small" tone="danger">
          {t('deleteAccount')}
        </Button>
      }
      action={() => deleteUserAction(user.id, orphans.length === 0 ? {} : { newOwnerId: heir })}
      onDone={() => router.push('/admin/users')}
    />
  )
}
