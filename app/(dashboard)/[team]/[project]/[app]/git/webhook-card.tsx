import { getTranslations } from 'next-intl/server'
import type { GitSource } from '@/platform/model/git-source.ts'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { CopyButton } from '../../../../../_ui/copy-button.client.tsx'
import { RelativeTime } from '../../../../../_ui/relative-time.client.tsx'
import { WebhookButton } from './webhook-button.client.tsx'

/** How the forge tells Berth of pushes. */
export async function WebhookCard({
  appId,
  webhook,
  canEdit,
}: {
  appId: string
  webhook: GitSource['webhook']
  canEdit: boolean
}) {
  const t = await getTranslations('git')
  return (
    <Card aria-labelledby="git-webhook">
      <CardHeader
        titleId="git-webhook"
        title={t('webhook')}
        description={webhook === null ? t('webhookNone') : t('webhookDescription')}
        actions={canEdit && <WebhookButton appId={appId} isNew={webhook === null} />}
      />
      {webhook !== null && (
        <div className="space-y-2 p-5">
          <div className="flex items-center gap-2">
            <code className="min-w-0 flex-1 break-all rounded-lg bg-sunken p-3 font-mono text-[13px]">
              {webhook.url}
            </code>
            <CopyButton text={webhook.url} label={t('copyUrl')} />
          </div>
          <p className="text-muted text-xs">
            {webhook.lastDeliveryAt === null ? (
              t('noDelivery')
            ) : (
              <>
                {t('lastDelivery')} <RelativeTime at={webhook.lastDeliveryAt} />
              </>
            )}
          </p>
        </div>
      )}
    </Card>
  )
}
