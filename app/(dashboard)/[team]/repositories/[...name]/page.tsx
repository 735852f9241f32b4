import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { roleIncludes } from '@/platform/model/roles.ts'
import { loadRepository } from '../../../../_shell/load.ts'
import { Badge } from '../../../../_ui/badge.tsx'
import { PageHeader } from '../../../../_ui/page-header.tsx'
import { RowsSkeleton } from '../../../../_ui/skeleton.tsx'
import { RetentionCard } from '../retention-card.tsx'
import { CommandsCard } from './commands-card.tsx'
import { ImageView } from './image-view.tsx'
import { LooseCard } from './loose-card.tsx'
import { RepositorySettings } from './repository-settings.client.tsx'
import { TagsCard } from './tags-card.tsx'

type Props = PageProps<'/[team]/repositories/[...name]'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { team, name } = await params
  return { title: (await loadRepository(team, name)).repository.name }
}

/** A repository, or one image of it: `…/shop/web` and `…/shop/web?image=sha256:…`. */
export default async function RepositoryPage({ params, searchParams }: Props) {
  const { team: slug, name } = await params
  const { image, cursor, untagged } = await searchParams
  const isFirst = cursor === undefined && untagged === undefined
  const { team, repository } = await loadRepository(slug, name)
  const t = await getTranslations('repositories')
  const canChange = roleIncludes(team.role, 'admin')
  const path = `/${team.slug}/repositories/${repository.name}`
  if (typeof image === 'string')
    return <ImageView team={team} repository={repository} digest={image} path={path} canDelete={canChange} />
  const shown = { repository, path, canDelete: canChange }
  return (
    <>
      <PageHeader
        title={repository.name}
        description={
          repository.isBuildCache ? t('buildCacheDescription') : repository.description || undefined
        }
        actions={
          <Badge tone={repository.isPublic ? 'warning' : 'neutral'}>
            {repository.isBuildCache ? t('buildCache') : repository.isPublic ? t('public') : t('private')}
          </Badge>
        }
      />
      <div className="space-y-5">
        {untagged === undefined && (
          <Suspense fallback={<RowsSkeleton rows={3} />}>
            <TagsCard {...shown} cursor={typeof cursor === 'string' ? cursor : undefined} />
          </Suspense>
        )}
        {cursor === undefined && (
          <Suspense>
            <LooseCard {...shown} cursor={typeof untagged === 'string' ? untagged : undefined} />
          </Suspense>
        )}
        {isFirst && !repository.isBuildCache && (
          <CommandsCard reference={repository.reference} canPush={roleIncludes(team.role, 'developer')} />
        )}
        {canChange && isFirst && (
          <Suspense>
            <RetentionCard repository={repository} />
          </Suspense>
        )}
        {canChange && isFirst && (
          <RepositorySettings
            repository={{
              id: repository.id,
              name: repository.name,
              description: repository.description,
              isPublic: repository.isPublic,
              isBuildCache: repository.isBuildCache,
            }}
            listPath={`/${team.slug}/repositories`}
          />
        )}
      </div>
    </>
  )
}
