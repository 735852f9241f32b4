import { Bell } from 'lucide-react'
import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import type { Team } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { listChannels } from '@/platform/notifications/channels.ts'
import { enter, loadTeam } from '../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { EmptyState } from '../../../../_ui/empty-state.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { SettingsFrame } from '../settings-frame.tsx'
import { ChannelRow } from './channel-row.tsx'
import { CreateChannelButton } from './create-channel-button.client.tsx'
import { loadChoices } from './load-choices.ts'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('notifications')
  return { title: t('title') }
}

/** Where the team is told of what happens to its apps. */
export default async function NotificationsPage({ params }: PageProps<'/[team]/settings/notifications'>) {
  const team = await loadTeam((await params).team)
  const t = await getTranslations('notifications')
  return (
    <SettingsFrame team={team}>
      {roleIncludes(team.role, 'admin') ? (
        <Channels team={team} />
      ) : (
        <Notice tone="warning">{t('notAllowed')}</Notice>
      )}
    </SettingsFrame>
  )
}

async function Channels({ team }: { team: Team }) {
  const { platform, viewer } = await enter()
  const [t, channels, choices] = await Promise.all([
    getTranslations('notifications'),
    listChannels(platform, viewer, team.id),
    loadChoices(team),
  ])
  return (
    <Card aria-labelledby="channels">
      <CardHeader
        titleId="channels"
        title={t('title')}
        description={t('description')}
        // At the same place with the first channel as without: its dialog goes on to show the key.
        actions={<CreateChannelButton {...choices} />}
      />
      {channels.length === 0 ? (
        <EmptyState
          className="mx-5 mb-5 mt-4"
          icon={Bell}
          title={t('emptyTitle')}
          description={t('emptyDescription')}
        />
      ) : (
        <ul className="mt-4 divide-y border-t">
          {channels.map((channel) => (
            <ChannelRow
              key={channel.id}
              channel={channel}
              path={`/${team.slug}/settings/notifications`}
              {...choices}
            />
          ))}
        </ul>
      )}
    </Card>
  )
}
