import { getLocale, getTranslations } from 'next-intl/server'
import { getRegistryCollection } from '@/platform/registry/collection.ts'
import { collectRegistryAction } from '../../../_actions/admin.ts'
import { enter } from '../../../_shell/load.ts'
import { ActionButton } from '../../../_ui/action-button.client.tsx'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { formatBytes } from '../../../_ui/format.ts'
import { Notice } from '../../../_ui/notice.tsx'
import { RelativeTime } from '../../../_ui/relative-time.client.tsx'

/** What the images of all teams take, and what the last collection freed. */
export async function RegistryCard() {
  const { platform, viewer } = await enter()
  const [t, locale, last] = await Promise.all([
    getTranslations('admin.registry'),
    getLocale(),
    getRegistryCollection(platform, viewer),
  ])
  const isOver = last !== null && last.finishedAt !== null
  return (
    <Card aria-label={t('title')} className="mt-5">
      <CardHeader
        title={t('title')}
        description={t('description')}
        actions={
          <ActionButton size="small" done={t('asked')} action={collectRegistryAction}>
            {t('collect')}
          </ActionButton>
        }
      />
      <div className="space-y-3 p-5">
        {last === null && <p className="text-muted">{t('never')}</p>}
        {last !== null && !isOver && <p role="status">{t('running')}</p>}
        {isOver && last.problem !== null && (
          <Notice tone="danger">{t('problem', { problem: last.problem })}</Notice>
        )}
        {isOver && last.problem === null && (
          <>
            <dl className="grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-3">
              <Fact label={t('freed')}>{formatBytes(last.freedBytes, locale)}</Fact>
              <Fact label={t('stored')}>{formatBytes(last.storedBytes, locale)}</Fact>
              <Fact label={t('when')}>
                <RelativeTime at={last.startedAt} />
              </Fact>
            </dl>
            <p className="text-muted">{t('heldBack', { count: last.heldBack })}</p>
          </>
        )}
      </div>
    </Card>
  )
}

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div>
      <dt className="text-muted text-xs">{label}</dt>
      <dd className="break-words font-medium">{children}</dd>
    </div>
  )
}
