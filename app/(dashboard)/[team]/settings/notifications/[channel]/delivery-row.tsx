import { useTranslations } from 'next-intl'
import { type AppEventKind, appEventKinds, areaOf } from '@/platform/model/app-event-kinds.ts'
import type { NotificationDelivery } from '@/platform/model/notifications.ts'
import { redeliverAction } from '../../../../../_actions/notifications.ts'
import { ActionButton } from '../../../../../_ui/action-button.client.tsx'
import { Badge } from '../../../../../_ui/badge.tsx'
import { RelativeTime } from '../../../../../_ui/relative-time.client.tsx'

const tones = { waiting: 'warning', delivered: 'success', failed: 'danger' } as const

/** One message: of what, how it went, and what the receiver answered to each attempt. */
export function DeliveryRow({ delivery, canSend }: { delivery: NotificationDelivery; canSend: boolean }) {
  const t = useTranslations('notifications')
  const tAreas = useTranslations('timeline.areas')
  const { id, status, kind, appName, recipient, attempts, attemptCount, createdAt } = delivery
  const known: AppEventKind | undefined = appEventKinds.find((each) => each === kind)
  return (
    <li className="px-5 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Badge tone={tones[status]}>{t(`status.${status}`)}</Badge>
        <span className="font-medium">{known === undefined ? t('testKind') : tAreas(areaOf(known))}</span>
        <code className="font-mono text-[12.5px] text-muted">{kind}</code>
        {appName !== null && <span className="text-muted">{appName}</span>}
        {recipient !== null && <span className="text-muted">{recipient}</span>}
        <span className="text-muted text-xs">
          {t('attempts', { count: attemptCount })} · <RelativeTime at={createdAt} />
        </span>
        {canSend && status !== 'waiting' && (
          <ActionButton
            size="small"
            className="ml-auto"
            action={redeliverAction.bind(null, id)}
            done={t('redelivered')}
          >
            {t('redeliver')}
          </ActionButton>
        )}
      </div>
      {attempts.length > 0 && (
        <ol className="mt-1.5 space-y-0.5 text-[13px] text-muted">
          {attempts.map(({ at, status: code, answer, tookMs }) => (
            <li key={at} className="break-words">
              <RelativeTime at={at} /> ·{' '}
              {code === null ? (recipient === null ? t('noAnswer') : '') : `HTTP ${code}`}{' '}
              {t('took', { ms: tookMs })}
              {answer !== '' && <span> · {answer.slice(0, 300)}</span>}
            </li>
          ))}
        </ol>
      )}
    </li>
  )
}
