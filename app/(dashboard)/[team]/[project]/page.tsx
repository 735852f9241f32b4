import { Plus, Rocket } from 'lucide-react'
import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { listApps } from '@/platform/apps.ts'
import type { Project } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { enter, loadFiring, loadProject } from '../../../_shell/load.ts'
import { ButtonLink } from '../../../_ui/button.tsx'
import { EmptyState } from '../../../_ui/empty-state.tsx'
import { MoreLink } from '../../../_ui/more-link.tsx'
import { PageHeader } from '../../../_ui/page-header.tsx'
import { RowsSkeleton } from '../../../_ui/skeleton.tsx'
import { AppRows } from './app-rows.tsx'
import { ProjectMenu } from './project-menu.client.tsx'

export async function generateMetadata({ params }: PageProps<'/[team]/[project]'>): Promise<Metadata> {
  const { team, project } = await params
  return { title: (await loadProject(team, project)).project.name }
}

export default async function ProjectPage({ params, searchParams }: PageProps<'/[team]/[project]'>) {
  const [names, { cursor }] = await Promise.all([params, searchParams])
  const { team, project } = await loadProject(names.team, names.project)
  const t = await getTranslations('project')
  const path = `/${team.slug}/${project.slug}`
  const canEdit = roleIncludes(project.role, 'developer')
  return (
    <>
      <PageHeader
        title={project.name}
        actions={
          canEdit && (
            <>
              <ButtonLink href={`${path}/new`}>
                <Plus aria-hidden />
                {t('newApp')}
              </ButtonLink>
              <ProjectMenu
                teamPath={`/${team.slug}`}
                path={path}
                project={{ id: project.id, name: project.name }}
                canDelete={roleIncludes(project.role, 'admin')}
              />
            </>
          )
        }
      />
      <Suspense fallback={<RowsSkeleton rows={Math.min(8, Math.max(1, project.appCount))} />}>
        <Apps
          project={project}
          path={path}
          canEdit={canEdit}
          cursor={typeof cursor === 'string' ? cursor : undefined}
        />
      </Suspense>
    </>
  )
}

interface AppsProps {
  project: Project
  path: string
  canEdit: boolean
  cursor: string | undefined
}

async function Apps({ project, path, canEdit, cursor }: AppsProps) {
  const { platform, viewer } = await enter()
  const [t, { data, nextCursor }, firing] = await Promise.all([
    getTranslations('project'),
    listApps(platform, viewer, { projectId: project.id }, { cursor, limit: 50 }),
    loadFiring(project.teamId),
  ])
  if (data.length === 0) {
    return (
      <EmptyState
        icon={Rocket}
        title={t('emptyTitle')}
        description={t('emptyDescription')}
        action={
          canEdit && (
            <ButtonLink href={`${path}/new`} tone="primary">
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
      <AppRows apps={data} path={path} firing={firing} />
      <MoreLink path={path} query={{}} nextCursor={nextCursor} />
    </>
  )
}
