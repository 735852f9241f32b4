import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { listCronJobs } from '@/platform/cron-jobs.ts'
import type { App } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { listRuns } from '@/platform/runs.ts'
import { enter, loadApp } from '../../../../../_shell/load.ts'
import { RowsSkeleton } from '../../../../../_ui/skeleton.tsx'
import { CronCard } from './cron-card.tsx'
import { RunsCard } from './runs-card.tsx'

type Props = PageProps<'/[team]/[project]/[app]/jobs'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('jobs'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

/** Commands beside what serves: by a schedule, and once. */
export default async function JobsPage({ params, searchParams }: Props) {
  const [names, { cursor }] = await Promise.all([params, searchParams])
  const { project, app, path } = await loadApp(names.team, names.project, names.app)
  return (
    <Suspense fallback={<RowsSkeleton rows={5} />}>
      <Jobs
        app={app}
        path={`${path}/jobs`}
        canEdit={roleIncludes(project.role, 'developer')}
        cursor={typeof cursor === 'string' ? cursor : undefined}
      />
    </Suspense>
  )
}

interface JobsProps {
  app: App
  path: string
  canEdit: boolean
  cursor: string | undefined
}

async function Jobs({ app, path, canEdit, cursor }: JobsProps) {
  const { platform, viewer } = await enter()
  const [cronJobs, runs] = await Promise.all([
    listCronJobs(platform, viewer, app.id),
    listRuns(platform, viewer, app.id, { limit: 20, ...(cursor === undefined ? {} : { cursor }) }),
  ])
  const canRun = canEdit && app.liveDeploymentId !== null
  return (
    <div className="space-y-6">
      <CronCard appId={app.id} cronJobs={cronJobs} path={path} canEdit={canEdit} canRun={canRun} />
      <RunsCard
        appId={app.id}
        runs={runs}
        path={path}
        canRun={canRun}
        isLive={app.liveDeploymentId !== null}
      />
    </div>
  )
}
