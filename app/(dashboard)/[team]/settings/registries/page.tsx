import { KeyRound } from 'lucide-react'
import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import type { Team } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { listRegistryLogins } from '@/platform/registries/logins.ts'
import { enter, loadTeam } from '../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { EmptyState } from '../../../../_ui/empty-state.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { SettingsFrame } from '../settings-frame.tsx'
import { AddLoginButton } from './add-login-button.client.tsx'
import { LoginRow } from './login-row.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('registries')
  return { title: t('title') }
}

/** How the team signs in to registries elsewhere. */
export default async function RegistriesPage({ params }: PageProps<'/[team]/settings/registries'>) {
  const team = await loadTeam((await params).team)
  const t = await getTranslations('registries')
  return (
    <SettingsFrame team={team}>
      {roleIncludes(team.role, 'developer') ? (
        <Logins team={team} />
      ) : (
        <Notice tone="warning">{t('notAllowed')}</Notice>
      )}
    </SettingsFrame>
  )
}

async function Logins({ team }: { team: Team }) {
  const { platform, viewer } = await enter()
  const [t, logins] = await Promise.all([
    getTranslations('registries'),
    listRegistryLogins(platform, viewer, team.id),
  ])
  const canManage = roleIncludes(team.role, 'admin')
  const add = canManage ? <AddLoginButton teamId={team.id} /> : undefined
  if (logins.length === 0) {
    return (
      <EmptyState icon={KeyRound} title={t('emptyTitle')} description={t('emptyDescription')} action={add} />
    )
  }
  return (
    <Card aria-labelledby="registries">
      <CardHeader titleId="registries" title={t('title')} description={t('description')} actions={add} />
      <ul className="mt-4 divide-y border-t">
        {logins.map((login) => (
          <LoginRow key={login.id} login={login} canManage={canManage} />
        ))}
      </ul>
    </Card>
  )
}
