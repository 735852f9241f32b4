import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import type { ManagedUser } from '@/platform/model/administration.ts'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import {
  AdministratorButton,
  DeleteAccountButton,
  EndSessionsButton,
  ResetTwoFactorButton,
  SuspendButton,
} from './account-buttons.client.tsx'
import { ResetLinkButton } from './reset-link-button.client.tsx'

/** What an administrator may do about an account; about one's own nothing that would shut oneself out. */
export function AccountActions({ user, viewerId }: { user: ManagedUser; viewerId: string }) {
  const t = useTranslations('admin')
  const isOwn = user.id === viewerId
  const { id, name, isAdmin } = user
  const isSuspended = user.suspendedAt !== null
  return (
    <Card aria-labelledby="actions">
      <CardHeader titleId="actions" title={t('actions')} />
      <ul className="mt-3 divide-y border-t">
        <Row title={t('administrator')} description={t('administratorDescription')}>
          <AdministratorButton id={id} name={name} isAdmin={isAdmin} />
        </Row>
        {!isSuspended && (
          <Row title={t('resetLink')} description={t('resetLinkDescription')}>
            <ResetLinkButton id={id} name={name} />
          </Row>
        )}
        {user.hasTwoFactor && (
          <Row title={t('resetTwoFactor')} description={t('resetTwoFactorDescription')}>
            <ResetTwoFactorButton id={id} name={name} />
          </Row>
        )}
        {!isSuspended && (
          <Row title={t('endSessions')} description={t('endSessionsDescription')}>
            <EndSessionsButton id={id} name={name} />
          </Row>
        )}
        {!isOwn && (
          <>
            <Row
              title={isSuspended ? t('reactivate') : t('suspend')}
              description={isSuspended ? t('reactivateDescription') : t('suspendDescription')}
            >
              <SuspendButton id={id} name={name} isSuspended={isSuspended} />
            </Row>
            <Row title={t('deleteAccount')} description={t('deleteAccountDescription')}>
              <DeleteAccountButton
                user={{ id, name, email: user.email }}
                orphans={user.teams.filter((team) => team.isLastOwner).map((team) => team.name)}
                heir={viewerId}
              />
            </Row>
          </>
        )}
      </ul>
    </Card>
  )
}

function Row({ title, description, children }: { title: string; description: string; children: ReactNode }) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5">
      <div className="min-w-0 flex-[1_1_16rem]">
        <h3 className="font-medium">{title}</h3>
        <p className="text-muted">{description}</p>
      </div>
      {children}
    </li>
  )
}
