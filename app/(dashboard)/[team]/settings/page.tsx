import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { listMembers } from '@/platform/members.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { enter, loadTeam } from '../../../_shell/load.ts'
import { Badge } from '../../../_ui/badge.tsx'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { PageHeader } from '../../../_ui/page-header.tsx'
import { RelativeTime } from '../../../_ui/relative-time.client.tsx'
import { TeamNameForm } from './team-name-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('team')
  return { title: t('settings') }
}

export default async function TeamSettingsPage({ params }: PageProps<'/[team]/settings'>) {
  const team = await loadTeam((await params).team)
  const { platform, viewer } = await enter()
  const [t, { data: members }] = await Promise.all([
    getTranslations('team'),
    listMembers(platform, viewer, team.id, { limit: 100 }),
  ])
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
        <Card aria-labelledby="members">
          <CardHeader titleId="members" title={t('members')} />
          <ul className="mt-3 divide-y border-t">
            {members.map((member) => (
              <li key={member.userId} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
                <div className="min-w-0 flex-1">
                  <p className="truncate font-medium">{member.name}</p>
                  <p className="truncate text-muted">{member.email}</p>
                </div>
                <span className="text-muted text-xs">
                  {t('joined')} <RelativeTime at={member.joinedAt} />
                </span>
                <Badge>{t(`role.${member.role}`)}</Badge>
              </li>
            ))}
          </ul>
        </Card>
      </div>
    </div>
  )
}
