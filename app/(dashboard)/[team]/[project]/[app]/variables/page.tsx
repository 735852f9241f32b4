import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { roleIncludes } from '@/platform/model/roles.ts'
import { listVariables } from '@/platform/variables.ts'
import { enter, loadApp } from '../../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { Notice } from '../../../../../_ui/notice.tsx'
import { Skeleton } from '../../../../../_ui/skeleton.tsx'
import { VariablesForm } from './variables-form.client.tsx'

type Props = PageProps<'/[team]/[project]/[app]/variables'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('variables'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

export default async function VariablesPage({ params }: Props) {
  const names = await params
  const { project, app, path } = await loadApp(names.team, names.project, names.app)
  const t = await getTranslations('variables')
  if (!roleIncludes(project.role, 'developer')) return <Notice tone="warning">{t('notAllowed')}</Notice>
  return (
    <Card>
      <CardHeader title={t('title')} description={t('description')} />
      <div className="p-5">
        <Suspense fallback={<Skeleton className="h-20 w-full" />}>
          <Variables appId={app.id} path={path} />
        </Suspense>
      </div>
    </Card>
  )
}

async function Variables({ appId, path }: { appId: string; path: string }) {
  const { platform, viewer } = await enter()
  return <VariablesForm appId={appId} path={path} variables={await listVariables(platform, viewer, appId)} />
}
