import { Users } from 'lucide-react'
import { cookies } from 'next/headers'
import { redirect } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { CreateTeamButton } from '../_shell/create-team-button.client.tsx'
import { loadTeams, loadUser } from '../_shell/load.ts'
import { Shell } from '../_shell/shell.tsx'
import { EmptyState } from '../_ui/empty-state.tsx'

/** Leads to the team that was looked at last. */
export default async function HomePage() {
  const teams = await loadTeams()
  const last = (await cookies()).get('berth-team')?.value
  const team = teams.find(({ slug }) => slug === last) ?? teams[0]
  if (team !== undefined) redirect(`/${team.slug}`)
  const [t, user] = await Promise.all([getTranslations('team'), loadUser()])
  return (
    <Shell team={null}>
      <EmptyState
        icon={Users}
        title={t('noneTitle')}
        description={user.isAdmin ? t('noneAdmin') : t('noneMember')}
        action={user.isAdmin ? <CreateTeamButton /> : undefined}
      />
    </Shell>
  )
}
