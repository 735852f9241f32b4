import { Forward } from 'lucide-react'
import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { listDrains } from '@/platform/log-drains/drains.ts'
import type { Team } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { enter, loadTeam } from '../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { EmptyState } from '../../../../_ui/empty-state.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { SettingsFrame } from '../settings-frame.tsx'
import { AddDrainButton } from './add-drain-button.client.tsx'
import { DrainRow } from './drain-row.tsx'
import { loadScopes } from './load-scopes.ts'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('logDrains')
  return { title: t('title') }
}

/** Where the team has its apps' logs sent to. */
export default async function LogDrainsPage({ params }: PageProps<'/[team]/settings/log-drains'>) {
  const team = await loadTeam((await params).team)
  const t = await getTranslations('logDrains')
  return (
    <SettingsFrame team={team}>
      {roleIncludes(team.role, 'admin') ? (
        <Drains team={team} />
      ) : (
        <Notice tone="warning">{t('notAllowed')}</Notice>
      )}
    </SettingsFrame>
  )
}

async function Drains({ team }: { team: Team }) {
  const { platform, viewer } = await enter()
  const [t, drains, scopes] = await Promise.all([
    getTranslations('logDrains'),
    listDrains(platform, viewer, team.id),
    loadScopes(team),
  ])
  const add = <AddDrainButton teamId={team.id} scopes={scopes} />
  if (drains.length === 0) {
    return (
      <EmptyState icon={Forward} title={t('emptyTitle')} description={t('emptyDescription')} action={add} />
    )
  }
  return (
    <Card aria-labelledby="log-drains">
      <CardHeader titleId="log-drains" title={t('title')} description={t('description')} actions={add} />
      <ul className="mt-4 divide-y border-t">
        {drains.map((drain) => (
          <DrainRow key={drain.id} drain={drain} scopes={scopes} />
        ))}
      </ul>
    </Card>
  )
}
