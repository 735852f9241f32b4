import Link from 'next/link'
import { getLocale, getTranslations } from 'next-intl/server'
import { listTags } from '@/platform/images.ts'
import type { Repository } from '@/platform/model/repositories.ts'
import { enter } from '../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { CopyButton } from '../../../../_ui/copy-button.client.tsx'
import { formatBytes, shortDigest } from '../../../../_ui/format.ts'
import { MoreLink } from '../../../../_ui/more-link.tsx'
import { RelativeTime } from '../../../../_ui/relative-time.client.tsx'
import { RemoveButton } from './remove-button.client.tsx'
import { UsedBy } from './used-by.tsx'

interface TagsCardProps {
  repository: Repository
  path: string
  canDelete: boolean
  cursor: string | undefined
}

/** What was pushed last, first. */
export async function TagsCard({ repository, path, canDelete, cursor }: TagsCardProps) {
  const { platform, viewer } = await enter()
  const [t, locale, { data: tags, nextCursor }] = await Promise.all([
    getTranslations('repositories'),
    getLocale(),
    listTags(platform, viewer, repository.id, { limit: 50, cursor }),
  ])
  return (
    <Card aria-labelledby="tags">
      <CardHeader titleId="tags" title={t('tags')} />
      {tags.length === 0 && <p className="px-5 py-4 text-muted">{t('noTags')}</p>}
      <ul className="mt-3 divide-y border-t" aria-labelledby="tags">
        {tags.map((tag) => (
          <li key={tag.name} className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-5 py-3">
            <div className="min-w-0 flex-[1_1_16rem]">
              <p className="flex items-center gap-1">
                <Link href={`${path}?image=${tag.digest}`} className="break-all font-medium hover:underline">
                  {tag.name}
                </Link>
                <CopyButton
                  text={`${repository.reference}:${tag.name}`}
                  label={t('copyReference', { name: tag.name })}
                />
              </p>
              <p className="text-muted text-xs">
                <span className="font-mono">{shortDigest(tag.digest)}</span>
                {' · '}
                {tag.platforms.join(', ') || t('artifact')}
                {' · '}
                {formatBytes(tag.sizeBytes, locale)}
              </p>
            </div>
            <UsedBy uses={tag.usedBy} teamPath={`/${path.split('/')[1]}`} />
            <span className="text-muted text-xs">
              {tag.pushedBy === null ? t('pushed') : t('pushedBy', { name: tag.pushedBy })}{' '}
              <RelativeTime at={tag.pushedAt} />
            </span>
            {canDelete && (
              <RemoveButton
                repositoryId={repository.id}
                what={{ tag: tag.name }}
                name={tag.name}
                isNeeded={tag.usedBy.length > 0}
              />
            )}
          </li>
        ))}
      </ul>
      <MoreLink path={path} query={{}} nextCursor={nextCursor} />
    </Card>
  )
}
