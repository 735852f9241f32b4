import { getTranslations } from 'next-intl/server'
import type { App } from '@/platform/model/resources.ts'
import { getPlatform } from '../../../../../_server/platform.ts'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { shortDigest } from '../../../../../_ui/format.ts'
import { Notice } from '../../../../../_ui/notice.tsx'
import { RelativeTime } from '../../../../../_ui/relative-time.client.tsx'
import { FollowForm } from './follow-form.client.tsx'

/** What is pushed to the app's image is deployed by itself: how, and how that went. */
export async function FollowCard({ app }: { app: App }) {
  const [t, { config }] = await Promise.all([getTranslations('follow'), getPlatform()])
  const { follow, image } = app.settings
  const isOwn = image.toLowerCase().startsWith(`${config.registryHost.toLowerCase()}/`)
  const { tag, digest, problem, lookedAt } = app.followed ?? {}
  return (
    <Card>
      <CardHeader title={t('title')} description={isOwn ? t('ownDescription') : t('elsewhereDescription')} />
      {follow !== null && (
        <div className="space-y-3 px-5 pt-4">
          <p className="flex flex-wrap gap-x-3 text-muted">
            <span>
              {tag == null
                ? t('nothingYet')
                : t('last', { tag, digest: digest == null ? '' : shortDigest(digest) })}
            </span>
            {lookedAt != null && (
              <span>
                {t('lookedAt')} <RelativeTime at={lookedAt} />
              </span>
            )}
          </p>
          {problem != null && <Notice tone="danger">{problem}</Notice>}
        </div>
      )}
      <FollowForm
        key={JSON.stringify(follow)}
        app={{ id: app.id, projectId: app.projectId, image }}
        isOwn={isOwn}
        follow={follow}
      />
    </Card>
  )
}
