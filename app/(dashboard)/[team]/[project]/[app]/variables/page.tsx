import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { roleIncludes } from '@/platform/model/roles.ts'
import { loadApp } from '../../../../../_shell/load.ts'
import { Notice } from '../../../../../_ui/notice.tsx'
import { RowsSkeleton } from '../../../../../_ui/skeleton.tsx'
import { VariablesView } from '../../../../../_variables/variables-view.tsx'

type Props = PageProps<'/[team]/[project]/[app]/variables'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('variables'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

export default async function VariablesPage({ params, searchParams }: Props) {
  const [names, { cursor }] = await Promise.all([params, searchParams])
  const { team, project, app, path } = await loadApp(names.team, names.project, names.app)
  const t = await getTranslations('variables')
  if (!roleIncludes(project.role, 'developer')) return <Notice tone="warning">{t('notAllowed')}</Notice>
  return (
    <Suspense fallback={<RowsSkeleton rows={3} />}>
      <VariablesView
        owner={{ appId: app.id }}
        title={t('title')}
        description={t('description')}
        app={{
          path,
          environmentId: app.environmentId,
          sharedPath: `/${team.slug}/${project.slug}/settings/variables`,
        }}
        cursor={typeof cursor === 'string' ? cursor : undefined}
        path={`${path}/variables`}
      />
    </Suspense>
  )
}
