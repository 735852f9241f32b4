import { Boxes, Plus } from 'lucide-react'
import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { listFirstApps } from '@/platform/first-apps.ts'
import type { Team } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { listProjects } from '@/platform/projects.ts'
import { enter, loadFiring, loadTeam } from '../../_shell/load.ts'
import { ButtonLink } from '../../_ui/button.tsx'
import { EmptyState } from '../../_ui/empty-state.tsx'
import { MoreLink } from '../../_ui/more-link.tsx'
import { PageHeader } from '../../_ui/page-header.tsx'
import { CreateProjectButton } from './create-project-button.client.tsx'
import { ProjectCard, ProjectCardsSkeleton, shownApps } from './project-card.tsx'

export async function generateMetadata({ params }: PageProps<'/[team]'>): Promise<Metadata> {
  return { title: (await loadTeam((await params).team)).name }
}

export default async function TeamPage({ params, searchParams }: PageProps<'/[team]'>) {
  const [names, { cursor }] = await Promise.all([params, searchParams])
  const team = await loadTeam(names.team)
  const t = await getTranslations('overview')
  return (
    <>
      <PageHeader
        title={t('title')}
        actions={roleIncludes(team.role, 'developer') && <CreateProjectButton teamId={team.id} />}
      />
      <Suspense fallback={<ProjectCardsSkeleton />}>
        <Projects team={team} cursor={typeof cursor === 'string' ? cursor : undefined} />
      </Suspense>
    </>
  )
}

async function Projects({ team, cursor }: { team: Team; cursor: string | undefined }) {
  const { platform, viewer } = await enter()
  const [t, projects, firing] = await Promise.all([
    getTranslations('overview'),
    listProjects(platform, viewer, team.id, { cursor, limit: 20 }),
    loadFiring(team.id),
  ])
  const apps = await listFirstApps(platform, viewer, team.id, {
    projectIds: projects.data.map(({ id }) => id),
    each: shownApps,
  })
  if (projects.data.length === 0) {
    const canDeploy = roleIncludes(team.role, 'developer')
    return (
      <EmptyState
        icon={Boxes}
        title={t('emptyTitle')}
        description={canDeploy ? t('emptyDescription') : t('emptyViewer')}
        action={
          canDeploy && (
            <ButtonLink href={`/${team.slug}/new`} tone="primary">
              <Plus aria-hidden />
              {t('deploy')}
            </ButtonLink>
          )
        }
      />
    )
  }
  return (
    <>
      <ul className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        {projects.data.map((project) => (
          <ProjectCard
            key={project.id}
            path={`/${team.slug}/${project.slug}`}
            project={project}
            apps={apps.filter(({ projectId }) => projectId === project.id)}
            firing={firing.get(project.id) ?? 0}
          />
        ))}
      </ul>
      <MoreLink path={`/${team.slug}`} query={{}} nextCursor={projects.nextCursor} />
    </>
  )
}
