import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { roleIncludes } from '@/platform/model/roles.ts'
import { loadProject } from '../../../../../_shell/load.ts'
import { Notice } from '../../../../../_ui/notice.tsx'
import { PageHeader } from '../../../../../_ui/page-header.tsx'
import { RowsSkeleton } from '../../../../../_ui/skeleton.tsx'
import { VariablesView } from '../../../../../_variables/variables-view.tsx'

type Props = PageProps<'/[team]/[project]/settings/variables'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { project }] = await Promise.all([
    getTranslations('variables'),
    loadProject(names.team, names.project),
  ])
  return { title: `${t('shared')} · ${project.name}` }
}

/** What all apps of an environment run with. */
export default async function SharedVariablesPage({ params, searchParams }: Props) {
  const [names, { cursor }] = await Promise.all([params, searchParams])
  const { team, project } = await loadProject(names.team, names.project)
  const t = await getTranslations('variables')
  const [environment] = project.environments
  return (
    <div className="mx-auto max-w-4xl">
      <PageHeader title={t('sharedOf', { name: project.name })} description={t('sharedDescription')} />
      {environment === undefined || !roleIncludes(project.role, 'developer') ? (
        <Notice tone="warning">{t('notAllowed')}</Notice>
      ) : (
        <Suspense fallback={<RowsSkeleton rows={3} />}>
          <VariablesView
            owner={{ environmentId: environment.id }}
            title={environment.name}
            description={t('sharedSecrets')}
            cursor={typeof cursor === 'string' ? cursor : undefined}
            path={`/${team.slug}/${project.slug}/settings/variables`}
          />
        </Suspense>
      )}
    </div>
  )
}
