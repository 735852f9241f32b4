import Link from 'next/link'
import { getLocale, getTranslations } from 'next-intl/server'
import { listImages } from '@/platform/images.ts'
import type { Repository } from '@/platform/model/repositories.ts'
import { enter } from '../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { formatBytes, shortDigest } from '../../../../_ui/format.ts'
import { MoreLink } from '../../../../_ui/more-link.tsx'
import { RelativeTime } from '../../../../_ui/relative-time.client.tsx'
import { RemoveButton } from './remove-button.client.tsx'
import { UsedBy } from './used-by.tsx'

interface LooseCardProps {
  repository: Repository
  path: string
  canDelete: boolean
  cursor: string | undefined
}

/** Images that no tag names any more; nothing where there are none. */
export async function LooseCard({ repository, path, canDelete, cursor }: LooseCardProps) {
  const { platform, viewer } = await enter()
  const [t, locale, { data: loose, nextCursor }] = await Promise.all([
    getTranslations('repositories'),
    getLocale(),
    listImages(platform, viewer, repository.id, { untagged: true, limit: 50, cursor }),
  ])
  if (loose.length === 0) return null
  return (
    <Card aria-labelledby="loose">
      <CardHeader titleId="loose" title={t('untagged')} description={t('untaggedDescription')} />
      <ul className="mt-3 divide-y border-t" aria-labelledby="loose">
        {loose.map((image) => (
          <li key={image.digest} className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-5 py-3">
            <div className="min-w-0 flex-[1_1_14rem]">
              <Link href={`${path}?image=${image.digest}`} className="font-mono hover:underline">
                {shortDigest(image.digest)}
              </Link>
              <p className="text-muted text-xs">
                {[...image.platforms, formatBytes(image.sizeBytes, locale)].join(' · ')}
              </p>
            </div>
            <UsedBy uses={image.usedBy} teamPath={`/${path.split('/')[1]}`} />
            <span className="text-muted text-xs">
              {t('pushed')} <RelativeTime at={image.pushedAt} />
            </span>
            {canDelete && (
              <RemoveButton
                repositoryId={repository.id}
                what={{ digest: image.digest }}
                name={shortDigest(image.digest)}
                isNeeded={image.usedBy.length > 0}
              />
            )}
          </li>
        ))}
      </ul>
      <MoreLink path={path} query={{}} name="untagged" nextCursor={nextCursor} />
    </Card>
  )
}
