import { Bot, CircleUserRound, KeyRound, type LucideIcon, ShieldAlert, Terminal } from 'lucide-react'
import { useFormatter, useTranslations } from 'next-intl'
import type { AuditEvent } from '@/platform/model/resources.ts'
import { browserName } from '../_ui/browser-name.ts'
import { RelativeTime } from '../_ui/relative-time.client.tsx'
import { ChangeRows } from './change-rows.tsx'

const icons: Record<AuditEvent['actorType'], LucideIcon> = {
  user: CircleUserRound,
  token: KeyRound,
  operator: Terminal,
  system: Bot,
  anonymous: ShieldAlert,
}

/** Who, what, to what, when and from where; and what is different since. */
export function AuditEntry({ event, showsTeam }: { event: AuditEvent; showsTeam: boolean }) {
  const t = useTranslations('audit')
  const format = useFormatter()
  const Icon = icons[event.actorType]
  const key = `action.${event.action}` as Parameters<typeof t>[0]
  const from = [event.address, browserName(event.userAgent)].filter(Boolean).join(', ')
  return (
    <li className="flex gap-3 px-5 py-3.5">
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="break-words">
          <span className="font-medium">{actorName()}</span>{' '}
          {t.has(key) ? t(key) : <code className="font-mono text-[13px]">{event.action}</code>}{' '}
          {event.targetName !== null && event.targetName !== '' && (
            <span className="font-medium">{event.targetName}</span>
          )}
        </p>
        <p className="mt-0.5 break-words text-muted text-xs">
          <RelativeTime at={event.createdAt} /> ·{' '}
          {format.dateTime(new Date(event.createdAt), { dateStyle: 'medium', timeStyle: 'medium' })} UTC
          {showsTeam && event.teamName !== null && <> · {event.teamName}</>}
          {from !== '' && <> · {from}</>} · <code className="font-mono">{event.action}</code>
        </p>
        <ChangeRows changes={event.changes} detail={event.detail} />
      </div>
    </li>
  )

  function actorName(): string {
    const { actorType, actor } = event
    switch (actorType) {
      case 'user':
        return actor
      case 'token':
        return t('actor.token', { name: actor })
      case 'operator':
      case 'system':
      case 'anonymous':
        return t(`actor.${actorType}`)
    }
  }
}
