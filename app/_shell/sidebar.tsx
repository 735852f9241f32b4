import { BookOpen, LayoutGrid, Package, Plus, Settings, Wrench } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import type { Project, Team } from '@/platform/model/resources.ts'
import { ButtonLink } from '../_ui/button.tsx'
import { Logo } from '../_ui/logo.tsx'
import { NavLink } from './nav-link.client.tsx'
import { SearchField } from './search.client.tsx'
import { TeamSwitcher } from './team-switcher.client.tsx'
import { UserMenu } from './user-menu.client.tsx'

interface SidebarProps {
  team: Team | null
  teams: Team[]
  projects: Project[]
  user: { name: string; email: string; isAdmin: boolean }
  canDeploy: boolean
}

export function Sidebar({ team, teams, projects, user, canDeploy }: SidebarProps) {
  const t = useTranslations('shell')
  return (
    <div className="flex h-full flex-col">
      <div className="px-4 pt-4 pb-3">
        <Link href="/" aria-label={t('home')} className="inline-flex rounded-lg">
          <Logo />
        </Link>
      </div>
      <div className="px-3">
        <TeamSwitcher
          current={team === null ? null : { slug: team.slug, name: team.name }}
          teams={teams.map(({ slug, name }) => ({ slug, name }))}
          canCreate={user.isAdmin}
        />
        <SearchField />
        {team !== null && canDeploy && (
          <ButtonLink href={`/${team.slug}/new`} tone="primary" className="mt-2 w-full">
            <Plus aria-hidden />
            {t('deploy')}
          </ButtonLink>
        )}
      </div>
      <nav aria-label={t('navigation')} className="mt-4 flex-1 space-y-0.5 overflow-y-auto px-3">
        {team !== null && (
          <>
            <NavLink href={`/${team.slug}`} exact>
              <LayoutGrid aria-hidden />
              {t('overview')}
            </NavLink>
            <NavLink href={`/${team.slug}/repositories`}>
              <Package aria-hidden />
              {t('repositories')}
            </NavLink>
            <NavLink href={`/${team.slug}/settings`}>
              <Settings aria-hidden />
              {t('settings')}
            </NavLink>
            {projects.length > 0 && (
              <>
                <h2 className="px-2.5 pt-5 pb-1 font-medium text-muted text-xs">{t('projects')}</h2>
                {projects.map((project) => (
                  <NavLink key={project.id} href={`/${team.slug}/${project.slug}`}>
                    <span className="min-w-0 flex-1 truncate">{project.name}</span>
                    <span className="text-muted text-xs tabular-nums">
                      <span aria-hidden>{project.appCount}</span>
                      <span className="sr-only">{t('appCount', { count: project.appCount })}</span>
                    </span>
                  </NavLink>
                ))}
              </>
            )}
          </>
        )}
      </nav>
      <div className="space-y-1 border-t p-3">
        {user.isAdmin && (
          <NavLink href="/admin">
            <Wrench aria-hidden />
            {t('admin')}
          </NavLink>
        )}
        <a
          href="/api/v1/docs"
          className="flex h-8 items-center gap-2.5 rounded-lg px-2.5 text-muted hover:bg-border/60 hover:text-foreground [&_svg]:size-4"
        >
          <BookOpen aria-hidden />
          {t('apiDocs')}
        </a>
        <UserMenu name={user.name} email={user.email} />
      </div>
    </div>
  )
}
