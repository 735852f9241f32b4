import Link from 'next/link'
import { notFound } from 'next/navigation'
import { getLocale, getTranslations } from 'next-intl/server'
import { PlatformError } from '@/platform/errors.ts'
import { getImage } from '@/platform/images.ts'
import type { Repository } from '@/platform/model/repositories.ts'
import type { Team } from '@/platform/model/resources.ts'
import { enter } from '../../../../_shell/load.ts'
import { Badge } from '../../../../_ui/badge.tsx'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { CommandLines } from '../../../../_ui/command-lines.tsx'
import { formatBytes, shortDigest } from '../../../../_ui/format.ts'
import { PageHeader } from '../../../../_ui/page-header.tsx'
import { RelativeTime } from '../../../../_ui/relative-time.client.tsx'
import { RemoveButton } from './remove-button.client.tsx'
import { UsedBy } from './used-by.tsx'

interface ImageViewProps {
  team: Team
  repository: Repository
  digest: string
  path: string
  canDelete: boolean
}

/** One digest: its platforms, layers, and how it was made. */
export async function ImageView({ team, repository, digest, path, canDelete }: ImageViewProps) {
  const { platform, viewer } = await enter()
  const [t, locale, image] = await Promise.all([
    getTranslations('repositories'),
    getLocale(),
    getImage(platform, viewer, repository.id, digest).catch((error) => {
      if (error instanceof PlatformError && error.code === 'not-found') notFound()
      throw error
    }),
  ])
  return (
    <>
      <PageHeader
        title={<span className="font-mono">{shortDigest(image.digest)}</span>}
        description={
          <Link href={path} className="hover:underline">
            {repository.name}
          </Link>
        }
        actions={
          canDelete && (
            <RemoveButton
              repositoryId={repository.id}
              what={{ digest: image.digest }}
              name={shortDigest(image.digest)}
              isNeeded={image.usedBy.length > 0}
              next={path}
            />
          )
        }
      />
      <div className="space-y-5">
        <Card>
          <div className="space-y-3 p-5">
            <p className="flex flex-wrap items-center gap-1.5">
              {image.tags.map((tag) => (
                <Badge key={tag} tone="accent">
                  {tag}
                </Badge>
              ))}
              {image.platforms.map((each) => (
                <Badge key={each}>{each}</Badge>
              ))}
              <span className="text-muted">{formatBytes(image.sizeBytes, locale)}</span>
              <span className="text-muted">
                {image.pushedBy === null ? t('pushed') : t('pushedBy', { name: image.pushedBy })}{' '}
                <RelativeTime at={image.pushedAt} />
              </span>
            </p>
            <UsedBy uses={image.usedBy} teamPath={`/${team.slug}`} />
            <CommandLines
              label={t('commands')}
              lines={[`docker pull ${repository.reference}@${image.digest}`]}
            />
          </div>
        </Card>
        {image.children.length > 0 && (
          <Card aria-labelledby="platforms">
            <CardHeader titleId="platforms" title={t('platforms')} />
            <ul className="mt-3 divide-y border-t" aria-labelledby="platforms">
              {image.children.map((child) => (
                <li key={child.digest} className="flex flex-wrap items-center gap-x-4 px-5 py-3">
                  <Link href={`${path}?image=${child.digest}`} className="flex-1 hover:underline">
                    {child.platform ?? t('artifact')}
                  </Link>
                  <span className="font-mono text-muted text-xs">{shortDigest(child.digest)}</span>
                  <span className="text-muted text-xs">{formatBytes(child.sizeBytes, locale)}</span>
                </li>
              ))}
            </ul>
          </Card>
        )}
        {image.layers.length > 0 && (
          <Card aria-labelledby="layers">
            <CardHeader titleId="layers" title={t('layers')} />
            <ol className="mt-3 divide-y border-t" aria-labelledby="layers">
              {image.layers.map((layer, position) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: an image may hold one layer twice, and never changes
                <li key={position} className="flex items-center gap-x-4 px-5 py-2.5">
                  <span className="flex-1 font-mono text-xs">{shortDigest(layer.digest)}</span>
                  <span className="text-muted text-xs">{formatBytes(layer.sizeBytes, locale)}</span>
                </li>
              ))}
            </ol>
          </Card>
        )}
        {image.history.length > 0 && (
          <Card aria-labelledby="history">
            <CardHeader titleId="history" title={t('history')} />
            <ol className="mt-3 divide-y border-t" aria-labelledby="history">
              {image.history.map((step, position) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: steps may be alike, and never change
                <li key={position} className="break-words px-5 py-2.5 font-mono text-xs">
                  {step.createdBy || step.comment || '—'}
                </li>
              ))}
            </ol>
          </Card>
        )}
      </div>
    </>
  )
}
