import { Users } from 'lucide-react'
import type { Metadata } from 'next'
import Link from 'next/link'
import { getTranslations } from 'next-intl/server'
import { userStates } from '@/platform/model/inputs.ts'
import { listUsers } from '@/platform/user-admin.ts'
import { enter } from '../../../_shell/load.ts'
import { Card } from '../../../_ui/card.tsx'
import { EmptyState } from '../../../_ui/empty-state.tsx'
import { MoreLink } from '../../../_ui/more-link.tsx'
import { queryOf } from '../../../_ui/query.ts'
import { QuerySelect } from '../../../_ui/query-select.client.tsx'
import { RelativeTime } from '../../../_ui/relative-time.client.tsx'
import { SearchForm } from '../search-form.tsx'
import { UserBadges } from './user-badges.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('admin')
  return { title: t('users') }
}

/** Everybody who has an account here. */
export default async function UsersPage({ searchParams }: PageProps<'/admin/users'>) {
  const { search, state: given, cursor } = queryOf(await searchParams, ['search', 'state', 'cursor'])
  const state = userStates.find((name) => name === given)
  const { platform, viewer } = await enter()
  const [t, { data, nextCursor }] = await Promise.all([
    getTranslations('admin'),
    listUsers(platform, viewer, { search, state }, { cursor, limit: 30 }),
  ])
  return (
    <>
      <SearchForm label={t('searchUsers')} submitLabel={t('search')} search={search}>
        <QuerySelect
          className="w-44"
          name="state"
          label={t('show')}
          value={state ?? ''}
          items={[
            { value: '', label: t('state.any') },
            ...userStates.map((name) => ({ value: name, label: t(`state.${name}`) })),
          ]}
        />
      </SearchForm>
      {data.length === 0 ? (
        <EmptyState icon={Users} title={t('noneFound')} description={t('noneFoundDescription')} />
      ) : (
        <Card>
          <ul className="divide-y" aria-label={t('users')}>
            {data.map((user) => (
              <li key={user.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
                <div className="min-w-0 flex-[1_1_14rem]">
                  <Link
                    href={`/admin/users/${user.id}`}
                    className="block truncate font-medium hover:underline"
                  >
                    {user.name}
                  </Link>
                  <p className="truncate text-muted">{user.email}</p>
                </div>
                <span className="text-muted text-xs">{t('memberOf', { count: user.teams.length })}</span>
                <span className="text-muted text-xs">
                  {user.lastSeenAt === null ? (
                    t('neverSeen')
                  ) : (
                    <>
                      {t('lastSeen')} <RelativeTime at={user.lastSeenAt} />
                    </>
                  )}
                </span>
                <UserBadges user={user} />
              </li>
            ))}
          </ul>
        </Card>
      )}
      <MoreLink path="/admin/users" query={{ search, state }} nextCursor={nextCursor} />
    </>
  )
}
