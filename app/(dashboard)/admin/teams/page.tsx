import { Users } from 'lucide-react'
import type { Metadata } from 'next'
import Link from 'next/link'
import { getLocale, getTranslations } from 'next-intl/server'
import { listManagedTeams } from '@/platform/team-admin.ts'
import { enter } from '../../../_shell/load.ts'
import { Badge } from '../../../_ui/badge.tsx'
import { Card } from '../../../_ui/card.tsx'
import { EmptyState } from '../../../_ui/empty-state.tsx'
import { MoreLink } from '../../../_ui/more-link.tsx'
import { queryOf } from '../../../_ui/query.ts'
import { amountText } from '../../[team]/settings/usage/amount-text.ts'
import { SearchForm } from '../search-form.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('admin')
  return { title: t('teams') }
}

/** Every team, and what it takes up. */
export default async function TeamsPage({ searchParams }: PageProps<'/admin/teams'>) {
  const { search, cursor } = queryOf(await searchParams, ['search', 'cursor'])
  const { platform, viewer } = await enter()
  const [t, tShell, locale, { data, nextCursor }] = await Promise.all([
    getTranslations('admin'),
    getTranslations('shell'),
    getLocale(),
    listManagedTeams(platform, viewer, { search }, { cursor, limit: 30 }),
  ])
  return (
    <>
      <SearchForm label={t('searchTeams')} submitLabel={t('search')} search={search} />
      {data.length === 0 ? (
        <EmptyState icon={Users} title={t('noneFound')} description={t('noneFoundDescription')} />
      ) : (
        <Card>
          <ul className="divide-y" aria-label={t('teams')}>
            {data.map((team) => (
              <li key={team.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
                <div className="min-w-0 flex-[1_1_14rem]">
                  <Link
                    href={`/admin/teams/${team.id}`}
                    className="block truncate font-medium hover:underline"
                  >
                    {team.name}
                  </Link>
                  <p className="truncate text-muted">{team.slug}</p>
                </div>
                <span className="text-muted text-xs">{t('memberCount', { count: team.memberCount })}</span>
                <span className="text-muted text-xs">{tShell('appCount', { count: team.used.apps })}</span>
                <span className="text-muted text-xs tabular-nums">
                  {amountText('memoryBytes', team.used.memoryBytes, locale)}
                </span>
                {team.owners.length === 0 && team.deletedAt === null && (
                  <Badge tone="warning">{t('noOwner')}</Badge>
                )}
                {team.deletedAt !== null && <Badge tone="danger">{t('deleted')}</Badge>}
              </li>
            ))}
          </ul>
        </Card>
      )}
      <MoreLink path="/admin/teams" query={{ search }} nextCursor={nextCursor} />
    </>
  )
}
