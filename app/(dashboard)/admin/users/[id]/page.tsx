import type { Metadata } from 'next'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { getFormatter, getTranslations } from 'next-intl/server'
import { PlatformError } from '@/platform/errors.ts'
import type { ManagedUser } from '@/platform/model/administration.ts'
import { getManagedUser } from '@/platform/user-admin.ts'
import { enter, loadUser } from '../../../../_shell/load.ts'
import { Badge } from '../../../../_ui/badge.tsx'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { RelativeTime } from '../../../../_ui/relative-time.client.tsx'
import { UserBadges } from '../user-badges.tsx'
import { AccountActions } from './account-actions.tsx'

async function load(id: string): Promise<ManagedUser> {
  const { platform, viewer } = await enter()
  return getManagedUser(platform, viewer, id).catch((error: unknown) => {
    if (error instanceof PlatformError && error.code === 'not-found') notFound()
    throw error
  })
}

export async function generateMetadata({ params }: PageProps<'/admin/users/[id]'>): Promise<Metadata> {
  return { title: (await load((await params).id)).name }
}

/** One account: what it is, where it is, and what an administrator may do about it. */
export default async function UserPage({ params }: PageProps<'/admin/users/[id]'>) {
  const [t, tTeam, format, viewer, user] = await Promise.all([
    getTranslations('admin'),
    getTranslations('team'),
    getFormatter(),
    loadUser(),
    load((await params).id),
  ])
  return (
    <div className="max-w-2xl space-y-5">
      <Card aria-labelledby="account">
        <CardHeader
          titleId="account"
          title={user.name}
          description={user.email}
          actions={<UserBadges user={user} />}
        />
        <dl className="grid gap-x-6 gap-y-3 p-5 sm:grid-cols-2">
          <div>
            <dt className="text-muted text-xs">{t('accountMade')}</dt>
            <dd className="font-medium">
              {format.dateTime(new Date(user.createdAt), { dateStyle: 'medium' })}
            </dd>
          </div>
          <div>
            <dt className="text-muted text-xs">{t('lastSeen')}</dt>
            <dd className="font-medium">
              {user.lastSeenAt === null ? t('neverSeen') : <RelativeTime at={user.lastSeenAt} />}
            </dd>
          </div>
        </dl>
        {user.teams.length > 0 && (
          <ul className="divide-y border-t" aria-label={t('teams')}>
            {user.teams.map((team) => (
              <li key={team.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
                <Link
                  href={`/admin/teams/${team.id}`}
                  className="min-w-0 flex-1 truncate font-medium hover:underline"
                >
                  {team.name}
                </Link>
                {team.isLastOwner && <Badge tone="warning">{t('lastOwner')}</Badge>}
                <Badge>{tTeam(`role.${team.role}`)}</Badge>
              </li>
            ))}
          </ul>
        )}
      </Card>
      <AccountActions user={user} viewerId={viewer.id} />
    </div>
  )
}
