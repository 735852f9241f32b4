import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { roleIncludes } from '@/platform/model/roles.ts'
import { AuditView } from '../../../../_audit/audit-view.tsx'
import { loadTeam } from '../../../../_shell/load.ts'
import { SettingsFrame } from '../settings-frame.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('audit')
  return { title: t('title') }
}

/** Who did what in the team: for its owners and administrators. */
export default async function TeamAuditPage({ params, searchParams }: PageProps<'/[team]/settings/audit'>) {
  const [team, asked] = await Promise.all([loadTeam((await params).team), searchParams])
  if (!roleIncludes(team.role, 'admin')) notFound()
  return (
    <SettingsFrame team={team} isWide>
      <AuditView scope={{ teamId: team.id }} path={`/${team.slug}/settings/audit`} asked={asked} />
    </SettingsFrame>
  )
}
