import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { roleIncludes } from '@/platform/model/roles.ts'
import { graceDays } from '@/platform/team-deletion.ts'
import { enter, loadTeam } from '../../../_shell/load.ts'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { RowsSkeleton } from '../../../_ui/skeleton.tsx'
import { AddressCard } from './address-card.client.tsx'
import { DeleteTeamCard } from './delete-team-card.client.tsx'
import { MembersCard } from './members-card.tsx'
import { SettingsFrame } from './settings-frame.tsx'
import { TeamNameForm } from './team-name-form.client.tsx'
import { TeamTwoFactorCard } from './two-factor-card.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('team')
  return { title: t('settings') }
}

export default async function TeamSettingsPage({ params }: PageProps<'/[team]/settings'>) {
  const team = await loadTeam((await params).team)
  const [{ platform }, t] = await Promise.all([enter(), getTranslations('team')])
  return (
    <SettingsFrame team={team}>
      <div className="space-y-5">
        <Card>
          <CardHeader title={t('general')} />
          <div className="p-5">
            <TeamNameForm
              team={{ id: team.id, name: team.name }}
              canRename={roleIncludes(team.role, 'admin')}
            />
          </div>
        </Card>
        {roleIncludes(team.role, 'admin') && (
          <AddressCard
            team={{ id: team.id, slug: team.slug, imageNamespace: team.imageNamespace }}
            registryHost={platform.config.registryHost}
            dashboard={platform.config.publicUrl}
          />
        )}
        <Suspense fallback={<RowsSkeleton rows={2} />}>
          <MembersCard team={team} />
        </Suspense>
        {roleIncludes(team.role, 'owner') && (
          <TeamTwoFactorCard team={{ id: team.id, requiresTwoFactor: team.requiresTwoFactor }} />
        )}
        {roleIncludes(team.role, 'owner') && (
          <DeleteTeamCard team={{ id: team.id, name: team.name }} days={graceDays} />
        )}
      </div>
    </SettingsFrame>
  )
}
