import { History } from 'lucide-react'
import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { listDeployments } from '@/platform/deployments.ts'
import type { App } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { enter, loadApp } from '../../../../../_shell/load.ts'
import { ButtonLink } from '../../../../../_ui/button.tsx'
import { Card } from '../../../../../_ui/card.tsx'
import { EmptyState } from '../../../../../_ui/empty-state.tsx'
import { RowsSkeleton } from '../../../../../_ui/skeleton.tsx'
import { DeploymentRows } from '../deployment-rows.tsx'

export async function generateMetadata({
  params,
}: PageProps<'/[team]/[project]/[app]/deployments'>): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('deployments'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

export default async function DeploymentsPage(props: PageProps<'/[team]/[project]/[app]/deployments'>) {
  const [names, { cursor }] = await Promise.all([props.params, props.searchParams])
  const { project, app, path } = await loadApp(names.team, names.project, names.app)
  return (
    <Suspense fallback={<RowsSkeleton rows={6} />}>
      <List
        app={app}
        path={path}
        canRollBack={roleIncludes(project.role, 'developer')}
        cursor={typeof cursor === 'string' ? cursor : undefined}
      />
    </Suspense>
  )
}

interface ListProps {
  app: App
  path: string
  canRollBack: boolean
  cursor: string | undefined
}

async function List({ app, path, canRollBack, cursor }: ListProps) {
  const { platform, viewer } = await enter()
  const [t, tCommon, { data, nextCursor }] = await Promise.all([
    getTranslations('deployments'),
    getTranslations('common'),
    listDeployments(platform, viewer, app.id, { cursor, limit: 30 }),
  ])
  if (data.length === 0) {
    return <EmptyState icon={History} title={t('emptyTitle')} description={t('emptyDescription')} />
  }
  return (
    <>
      <Card>
        <DeploymentRows deployments={data} path={path} canRollBack={canRollBack} />
      </Card>
      {nextCursor !== null && (
        <div className="mt-4 flex justify-center">
          <ButtonLink href={`${path}/deployments?cursor=${encodeURIComponent(nextCursor)}`}>
            {tCommon('nextPage')}
          </ButtonLink>
        </div>
      )}
    </>
  )
}
