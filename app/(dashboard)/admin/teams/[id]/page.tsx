import type { Metadata } from 'next'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { getLocale, getTranslations } from 'next-intl/server'
import { PlatformError } from '@/platform/errors.ts'
import type { ManagedTeamDetail } from '@/platform/model/administration.ts'
import { quotaNames } from '@/platform/model/quotas.ts'
import { getManagedTeam } from '@/platform/team-admin.ts'
import { graceDays } from '@/platform/team-deletion.ts'
import { enter, loadUser } from '../../../../_shell/load.ts'
import { Badge } from '../../../../_ui/badge.tsx'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { amountText } from '../../../[team]/settings/usage/amount-text.ts'
import { QuotaForm } from '../../../[team]/settings/usage/quota-form.client.tsx'
import { AppointButton, DeleteTeamButton, RestoreTeamButton } from './team-buttons.client.tsx'

async function load(id: string): Promise<ManagedTeamDetail> {
  const { platform, viewer } = await enter()
  return getManagedTeam(platform, viewer, id).catch((error: unknown) => {
    if (error instanceof PlatformError && error.code === 'not-found') notFound()
    throw error
  })
}

export async function generateMetadata({ params }: PageProps<'/admin/teams/[id]'>): Promise<Metadata> {
  return { title: (await load((await params).id)).name }
}

/** One team: what it takes up and may take up, who is in it, and its end. Nothing that is inside of it. */
export default async function ManagedTeamPage({ params }: PageProps<'/admin/teams/[id]'>) {
  const [t, tTeam, tPages, locale, user, team] = await Promise.all([
    getTranslations('admin'),
    getTranslations('team'),
    getTranslations('teamPages'),
    getLocale(),
    loadUser(),
    load((await params).id),
  ])
  const isDeleted = team.deletedAt !== null
  const isOwner = team.owners.some(({ id }) => id === user.id)
  return (
    <div className="max-w-2xl space-y-5">
      <Card aria-labelledby="team">
        <CardHeader
          titleId="team"
          title={team.name}
          description={team.slug}
          actions={isDeleted && <Badge tone="danger">{t('deleted')}</Badge>}
        />
        <dl className="grid grid-cols-2 gap-x-6 gap-y-3 p-5 sm:grid-cols-3">
          {quotaNames.map((name) => {
            const used = amountText(name, team.used[name], locale)
            const limit = team.limits[name]
            return (
              <div key={name}>
                <dt className="text-muted text-xs">{tPages(`quota.${name}`)}</dt>
                <dd className="font-medium tabular-nums">
                  {limit === null
                    ? tPages('usedOfAny', { used })
                    : tPages('usedOf', { used, limit: amountText(name, limit, locale) })}
                </dd>
              </div>
            )
          })}
        </dl>
      </Card>
      <Card aria-labelledby="members">
        <CardHeader
          titleId="members"
          title={tTeam('members')}
          actions={
            !isDeleted &&
            !isOwner && <AppointButton teamId={team.id} user={{ id: user.id, name: user.name }} isOwn />
          }
        />
        <ul className="mt-3 divide-y border-t" aria-labelledby="members">
          {team.members.map((member) => (
            <li key={member.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
              <div className="min-w-0 flex-[1_1_12rem]">
                <Link
                  href={`/admin/users/${member.id}`}
                  className="block truncate font-medium hover:underline"
                >
                  {member.name}
                </Link>
                <p className="truncate text-muted">{member.email}</p>
              </div>
              {member.isSuspended && <Badge tone="danger">{t('suspended')}</Badge>}
              <Badge>{tTeam(`role.${member.role}`)}</Badge>
              {!isDeleted && !member.isSuspended && member.role !== 'owner' && member.id !== user.id && (
                <AppointButton teamId={team.id} user={{ id: member.id, name: member.name }} isOwn={false} />
              )}
            </li>
          ))}
        </ul>
      </Card>
      {!isDeleted && (
        <Card>
          <CardHeader title={tPages('limits')} description={t('limitsDescription')} />
          <div className="p-5">
            <QuotaForm teamId={team.id} limits={team.limits} />
          </div>
        </Card>
      )}
      <Card>
        <CardHeader
          title={isDeleted ? t('restoreTeam') : tPages('delete')}
          description={
            isDeleted && team.purgeAt !== null
              ? t('restoreDescription', { date: new Date(team.purgeAt) })
              : tPages('deleteDescription', { days: graceDays })
          }
          actions={
            isDeleted ? (
              <RestoreTeamButton id={team.id} />
            ) : (
              <DeleteTeamButton team={{ id: team.id, name: team.name }} days={graceDays} />
            )
          }
        />
        <div className="pb-4" />
      </Card>
    </div>
  )
}
