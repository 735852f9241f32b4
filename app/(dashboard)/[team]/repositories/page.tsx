import { Globe, Lock, Package } from 'lucide-react'
import type { Metadata } from 'next'
import Link from 'next/link'
import { getLocale, getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import type { Team } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { getTeamRetention } from '@/platform/registry/retention.ts'
import { registryStorage } from '@/platform/registry/storage.ts'
import { listRepositories } from '@/platform/repositories.ts'
import { enter, loadTeam } from '../../../_shell/load.ts'
import { Badge } from '../../../_ui/badge.tsx'
import { Card } from '../../../_ui/card.tsx'
import { CommandLines } from '../../../_ui/command-lines.tsx'
import { EmptyState } from '../../../_ui/empty-state.tsx'
import { formatBytes } from '../../../_ui/format.ts'
import { MoreLink } from '../../../_ui/more-link.tsx'
import { PageHeader } from '../../../_ui/page-header.tsx'
import { RelativeTime } from '../../../_ui/relative-time.client.tsx'
import { RowsSkeleton } from '../../../_ui/skeleton.tsx'
import { RetentionForm } from './retention-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('repositories')
  return { title: t('title') }
}

export default async function RepositoriesPage({ params, searchParams }: PageProps<'/[team]/repositories'>) {
  const { cursor } = await searchParams
  const team = await loadTeam((await params).team)
  const t = await getTranslations('repositories')
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <Suspense fallback={<RowsSkeleton rows={3} />}>
        <Repositories team={team} cursor={typeof cursor === 'string' ? cursor : undefined} />
      </Suspense>
    </>
  )
}

async function Repositories({ team, cursor }: { team: Team; cursor: string | undefined }) {
  const { platform, viewer } = await enter()
  const [t, locale, { data: repositories, nextCursor }, storage, rules] = await Promise.all([
    getTranslations('repositories'),
    getLocale(),
    listRepositories(platform, viewer, team.id, { limit: 50, cursor }),
    registryStorage(platform, viewer, team.id),
    getTeamRetention(platform, viewer, team.id),
  ])
  const host = platform.config.registryHost
  const canPush = roleIncludes(team.role, 'developer')
  if (repositories.length === 0 && cursor === undefined)
    return (
      <EmptyState
        icon={Package}
        title={t('emptyTitle')}
        description={canPush ? t('emptyDescription') : t('emptyViewer')}
        action={
          canPush && (
            <div className="w-full max-w-xl">
              <CommandLines
                label={t('firstPush')}
                lines={[
                  `docker login ${host}`,
                  `docker tag my-image ${host}/${team.imageNamespace}/my-app:1`,
                  `docker push ${host}/${team.imageNamespace}/my-app:1`,
                ]}
              />
            </div>
          )
        }
      />
    )
  return (
    <div className="space-y-5">
      <Card>
        <ul className="divide-y" aria-label={t('title')}>
          {repositories.map((repository) => (
            <li key={repository.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3.5">
              <div className="min-w-0 flex-[1_1_14rem]">
                <Link
                  href={`/${team.slug}/repositories/${repository.name}`}
                  className="break-all font-medium hover:underline"
                >
                  {repository.name}
                </Link>
                <p className="break-words text-muted">
                  {repository.isBuildCache
                    ? t('buildCache')
                    : repository.description || t('tagCount', { count: repository.tagCount })}
                </p>
              </div>
              <span className="text-muted text-xs tabular-nums">
                {formatBytes(repository.sizeBytes, locale)}
              </span>
              {repository.lastPushedAt !== null && (
                <span className="text-muted text-xs">
                  {t('pushed')} <RelativeTime at={repository.lastPushedAt} />
                </span>
              )}
              <Badge tone={repository.isPublic ? 'warning' : 'neutral'}>
                {repository.isPublic ? <Globe aria-hidden /> : <Lock aria-hidden />}
                {repository.isPublic ? t('public') : t('private')}
              </Badge>
            </li>
          ))}
        </ul>
      </Card>
      <MoreLink path={`/${team.slug}/repositories`} query={{}} nextCursor={nextCursor} />
      <p className="text-muted">
        {storage.quotaBytes === null
          ? t('storage', { used: formatBytes(storage.usedBytes, locale) })
          : t('storageOf', {
              used: formatBytes(storage.usedBytes, locale),
              quota: formatBytes(storage.quotaBytes, locale),
            })}
        {storage.looseBytes > 0 && ` ${t('loose', { size: formatBytes(storage.looseBytes, locale) })}`}
      </p>
      {roleIncludes(team.role, 'admin') && <RetentionForm rules={rules} of={{ teamId: team.id }} />}
    </div>
  )
}
