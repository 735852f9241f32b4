import { getTranslations } from 'next-intl/server'
import type { ReactNode } from 'react'
import type { Project, Team } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { listProjects } from '@/platform/projects.ts'
import { Logo } from '../_ui/logo.tsx'
import { LiveTeam } from './live-team.client.tsx'
import { enter, loadTeams, loadUser } from './load.ts'
import { MobileNav } from './mobile-nav.client.tsx'
import { Search, SearchIconButton } from './search.client.tsx'
import { Sidebar } from './sidebar.tsx'

/** The frame around every page of somebody who is signed in: the team's navigation, beside it or in a drawer. */
export async function Shell({ team, children }: { team: Team | null; children: ReactNode }) {
  const { platform, viewer } = await enter()
  const [t, user, teams, projects] = await Promise.all([
    getTranslations('shell'),
    loadUser(),
    loadTeams(),
    team === null ? [] : listProjects(platform, viewer, team.id, { limit: 100 }).then(({ data }) => data),
  ])
  const canDeploy = team !== null && [team, ...projects].some(({ role }) => roleIncludes(role, 'developer'))
  const sidebar = <Sidebar team={team} teams={teams} projects={projects} user={user} canDeploy={canDeploy} />
  const searched = team === null ? null : { ...namesOf(team, projects), canDeploy }
  return (
    <Search team={searched} isAdmin={user.isAdmin}>
      <div className="min-h-dvh md:pl-60">
        <a
          href="#content"
          className="sr-only z-70 rounded-lg bg-accent px-3 py-2 font-medium text-accent-foreground focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
        >
          {t('skip')}
        </a>
        <aside className="fixed inset-y-0 left-0 hidden w-60 border-r bg-sunken md:block">{sidebar}</aside>
        <header className="sticky top-0 z-30 flex h-14 items-center justify-between border-b bg-surface/95 px-4 backdrop-blur md:hidden">
          <Logo />
          <div className="flex items-center gap-1">
            <SearchIconButton />
            <MobileNav>{sidebar}</MobileNav>
          </div>
        </header>
        <main
          id="content"
          tabIndex={-1}
          className="mx-auto w-full max-w-5xl px-4 py-6 outline-none sm:px-8 sm:py-9"
        >
          {children}
        </main>
        {team !== null && <LiveTeam teamId={team.id} slug={team.slug} />}
      </div>
    </Search>
  )
}

/** No more than a browser needs to know. */
function namesOf({ id, slug }: Team, projects: Project[]) {
  return { id, slug, projects: projects.map(({ id, slug, name, role }) => ({ id, slug, name, role })) }
}
