import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { roleIncludes } from '@/platform/model/roles.ts'
import { loadProject } from '../../../../_shell/load.ts'
import { Notice } from '../../../../_ui/notice.tsx'
import { PageHeader } from '../../../../_ui/page-header.tsx'
import { RowsSkeleton } from '../../../../_ui/skeleton.tsx'
import { AccessCard } from './access-card.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('teamPages')
  return { title: t('access') }
}

/** Who may do what in this project. */
export default async function ProjectSettingsPage({ params }: PageProps<'/[team]/[project]/settings'>) {
  const names = await params
  const { project } = await loadProject(names.team, names.project)
  const t = await getTranslations('teamPages')
  return (
    <div className="max-w-2xl">
      <PageHeader title={t('accessTo', { name: project.name })} description={t('accessDescription')} />
      {roleIncludes(project.role, 'admin') ? (
        <Suspense fallback={<RowsSkeleton rows={3} />}>
          <AccessCard project={project} />
        </Suspense>
      ) : (
        <Notice tone="warning">{t('accessNotAllowed')}</Notice>
      )}
    </div>
  )
}
