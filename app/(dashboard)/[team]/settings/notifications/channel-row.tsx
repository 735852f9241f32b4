import { Hash, Mail, MessageSquare, Webhook } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import type { NotificationChannel } from '@/platform/model/notifications.ts'
import type { TeamPlaces } from '../../../../_tokens/places.ts'
import { Badge } from '../../../../_ui/badge.tsx'
import { RelativeTime } from '../../../../_ui/relative-time.client.tsx'
import { ChannelMenu } from './channel-menu.client.tsx'

const icons = { email: Mail, webhook: Webhook, slack: Hash, discord: MessageSquare }

interface ChannelRowProps {
  channel: NotificationChannel
  path: string
  team: TeamPlaces
  people: { id: string; name: string }[]
}

export function ChannelRow({ channel, path, team, people }: ChannelRowProps) {
  const t = useTranslations('notifications')
  const { id, kind, name, urlHint, recipients, failingSince, lastArrivedAt, isEnabled, gaveUp } = channel
  const Icon = icons[kind]
  const names = recipients.map((each) => (each.isMember ? each.name : `${each.name} (${t('isGone')})`))
  return (
    <li className="flex items-start gap-3 px-5 py-3.5">
      <Icon aria-hidden className="mt-1 size-4 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-2">
          <Link
            href={`${path}/${id}`}
            aria-label={t('openLog', { name })}
            className="rounded font-medium hover:underline"
          >
            {name}
          </Link>
          <span className="text-muted text-xs">{t(`kinds.${kind}`)}</span>
          {!isEnabled && <Badge tone={gaveUp ? 'danger' : 'neutral'}>{t('isOff')}</Badge>}
        </div>
        <p className="break-all text-[13px] text-muted">{urlHint ?? names.join(', ')}</p>
        {gaveUp && <p className="mt-1 text-[13px] text-danger">{t('gaveUp')}</p>}
        <p className="mt-0.5 text-muted text-xs">
          {isEnabled && failingSince !== null ? (
            <span className="text-danger">
              {t('failing')} <RelativeTime at={failingSince} />
            </span>
          ) : lastArrivedAt === null ? (
            t('never')
          ) : (
            <>
              {t('lastArrived')} <RelativeTime at={lastArrivedAt} />
            </>
          )}
        </p>
      </div>
      <ChannelMenu channel={channel} log={`${path}/${id}`} team={team} people={people} />
    </li>
  )
}
