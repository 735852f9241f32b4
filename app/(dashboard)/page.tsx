import { Users } from 'lucide-react'
import { cookies } from 'next/headers'
import { redirect } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { CreateTeamButton } from '../_shell/create-team-button.client.tsx'
import { loadDeletedTeams, loadOpenTeams, loadTeams, loadUser } from '../_shell/load.ts'
import { Shell } from '../_shell/shell.tsx'
import { EmptyState } from '../_ui/empty-state.tsx'

/** Leads to the team that was looked at last. */
export default async function HomePage() {
  const [teams, open] = await Promise.all([loadTeams(), loadOpenTeams()])
  const last = (await cookies()).get('berth-team')?.value
  const team = open.find(({ slug }) => slug === last) ?? open[0] ?? teams[0]
  if (team !== undefined) redirect(`/${team.slug}`)
  const [t, user, deleted] = await Promise.all([getTranslations('team'), loadUser(), loadDeletedTeams()])
  // Administrators see everybody's; the others come here after the last of their teams was deleted.
  if (!user.isAdmin && deleted.length > 0) redirect('/account/deleted-teams')
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
