import type { Metadata } from 'next'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import type { Team } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { listChannels } from '@/platform/notifications/channels.ts'
import { listDeliveries } from '@/platform/notifications/deliveries.ts'
import { enter, loadTeam } from '../../../../../_shell/load.ts'
import { ButtonLink } from '../../../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { Notice } from '../../../../../_ui/notice.tsx'
import { SettingsFrame } from '../../settings-frame.tsx'
import { ChannelRow } from '../channel-row.tsx'
import { loadChoices } from '../load-choices.ts'
import { DeliveryRow } from './delivery-row.tsx'
import { LookAgain } from './look-again.client.tsx'

type Props = PageProps<'/[team]/settings/notifications/[channel]'>

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('notifications')
  return { title: t('log') }
}

/** One channel, and what was sent through it. */
export default async function ChannelPage({ params, searchParams }: Props) {
  const [names, { cursor }] = await Promise.all([params, searchParams])
  const team = await loadTeam(names.team)
  const t = await getTranslations('notifications')
  return (
    <SettingsFrame team={team}>
      {roleIncludes(team.role, 'admin') ? (
        <Log team={team} channelId={names.channel} cursor={typeof cursor === 'string' ? cursor : undefined} />
      ) : (
        <Notice tone="warning">{t('notAllowed')}</Notice>
      )}
    </SettingsFrame>
  )
}

interface LogProps {
  team: Team
  channelId: string
  cursor: string | undefined
}

async function Log({ team, channelId, cursor }: LogProps) {
  const { platform, viewer } = await enter()
  const path = `/${team.slug}/settings/notifications`
  const channel = (await listChannels(platform, viewer, team.id)).find(({ id }) => id === channelId)
  if (channel === undefined) notFound()
  const [t, tCommon, choices, { data, nextCursor }] = await Promise.all([
    getTranslations('notifications'),
    getTranslations('common'),
    loadChoices(team),
    listDeliveries(platform, viewer, channelId, { cursor, limit: 30 }),
  ])
  return (
    <div className="space-y-5">
      <Link href={path} className="rounded text-accent-text hover:underline">
        ← {t('back')}
      </Link>
      <Card>
        <ul>
          <ChannelRow channel={channel} path={path} {...choices} />
        </ul>
      </Card>
      <Card aria-labelledby="log">
        <CardHeader titleId="log" title={t('log')} description={t('logDescription')} />
        {data.length === 0 ? (
          <p className="p-5 text-muted">{t('logEmpty')}</p>
        ) : (
          <ul className="mt-4 divide-y border-t">
            {data.map((delivery) => (
              <DeliveryRow key={delivery.id} delivery={delivery} canSend={channel.isEnabled} />
            ))}
          </ul>
        )}
      </Card>
      {nextCursor !== null && (
        <div className="flex justify-center">
          <ButtonLink href={`${path}/${channelId}?cursor=${encodeURIComponent(nextCursor)}`}>
            {tCommon('nextPage')}
          </ButtonLink>
        </div>
      )}
      <LookAgain isNeeded={data.some(({ status }) => status === 'waiting')} />
    </div>
  )
}
