import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { roleIncludes } from '@/platform/model/roles.ts'
import { loadTeam } from '../../../_shell/load.ts'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { PageHeader } from '../../../_ui/page-header.tsx'
import { RowsSkeleton } from '../../../_ui/skeleton.tsx'
import { MembersCard } from './members-card.tsx'
import { TeamNameForm } from './team-name-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('team')
  return { title: t('settings') }
}

export default async function TeamSettingsPage({ params }: PageProps<'/[team]/settings'>) {
  const team = await loadTeam((await params).team)
  const t = await getTranslations('team')
  return (
    <div className="mx-auto max-w-2xl">
      <PageHeader title={t('settings')} />
      <div className="space-y-5">
        <Card>
          <CardHeader title={t('general')} />
          <div className="p-5">
            <TeamNameForm
              team={{ id: team.id, name: team.name, slug: team.slug }}
              canRename={roleIncludes(team.role, 'admin')}
            />
          </div>
        </Card>
        <Suspense fallback={<RowsSkeleton rows={2} />}>
          <MembersCard team={team} />
        </Suspense>
      </div>
    </div>
  )
}
