import { FileUp, Rocket } from 'lucide-react'
import type { Metadata } from 'next'
import Link from 'next/link'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { readUseOfReplicas } from '@/platform/container-use.ts'
import { getDeployment, listDeployments } from '@/platform/deployments.ts'
import { stepNames } from '@/platform/model/deployment-step.ts'
import type { App } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { pendingChanges } from '@/platform/pending-changes.ts'
import { UploadButton } from '../../../../_builds/upload-button.client.tsx'
import { enter, loadApp } from '../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { EmptyState } from '../../../../_ui/empty-state.tsx'
import { RowsSkeleton, StepsSkeleton } from '../../../../_ui/skeleton.tsx'
import { Containers } from './containers.tsx'
import { DeployButton } from './deploy-button.client.tsx'
import { DeploymentProgress } from './deployment-progress.client.tsx'
import { DeploymentRows } from './deployment-rows.tsx'
import { PendingCard } from './pending-card.client.tsx'
import { ProcessesCard } from './processes-card.client.tsx'
import { ScaleCard } from './scale-card.client.tsx'

export async function generateMetadata({ params }: PageProps<'/[team]/[project]/[app]'>): Promise<Metadata> {
  const { team, project, app } = await params
  return { title: (await loadApp(team, project, app)).app.name }
}

export default async function AppPage({ params }: PageProps<'/[team]/[project]/[app]'>) {
  const names = await params
  const { project, app, path } = await loadApp(names.team, names.project, names.app)
  const t = await getTranslations('app')
  if (app.latestDeployment === null && app.settings.build !== null) {
    return (
      <EmptyState
        icon={FileUp}
        title={t('sourceTitle')}
        description={t('sourceDescription')}
        action={roleIncludes(project.role, 'developer') && <UploadButton appId={app.id} path={path} />}
      />
    )
  }
  if (app.latestDeployment === null) {
    return (
      <EmptyState
        icon={Rocket}
        title={t('emptyTitle')}
        description={t('emptyDescription')}
        action={
          roleIncludes(project.role, 'developer') && (
            <DeployButton appId={app.id} isDeployed={false} path={path} />
          )
        }
      />
    )
  }
  return (
    <div className="space-y-5">
      <Suspense>
        <Pending app={app} canChange={roleIncludes(project.role, 'developer')} path={path} />
      </Suspense>
      <Suspense fallback={<StepsSkeleton steps={stepNames.length} />}>
        <Latest deploymentId={app.latestDeployment.id} path={path} />
      </Suspense>
      {app.scale !== null && (
        <Suspense fallback={<RowsSkeleton isInside rows={1} />}>
          <Size app={app} canScale={roleIncludes(project.role, 'developer')} />
        </Suspense>
      )}
      <ProcessesCard
        appId={app.id}
        processes={app.settings.processes}
        live={app.scale?.processes ?? {}}
        canChange={roleIncludes(project.role, 'developer')}
      />
      <Containers containers={app.containers} liveDeploymentId={app.liveDeploymentId} />
      <Card aria-labelledby="recent">
        <CardHeader
          titleId="recent"
          title={t('recent')}
          actions={
            <Link href={`${path}/deployments`} className="rounded text-accent-text hover:underline">
              {t('allDeployments')}
            </Link>
          }
        />
        <div className="mt-3 border-t">
          <Suspense fallback={<RowsSkeleton isInside rows={Math.min(5, app.latestDeployment.number)} />}>
            <Recent app={app} path={path} />
          </Suspense>
        </div>
      </Card>
    </div>
  )
}

async function Pending({ app, canChange, path }: { app: App; canChange: boolean; path: string }) {
  const { platform, viewer } = await enter()
  const pending = await pendingChanges(platform, viewer, app.id)
  return <PendingCard appId={app.id} {...{ pending, canChange, path }} />
}

async function Size({ app, canScale }: { app: App; canScale: boolean }) {
  const { platform, viewer } = await enter()
  const use = await readUseOfReplicas(platform, viewer, app.id)
  if (app.scale === null) return null
  const { isPending, problem, ...size } = app.scale
  return (
    <ScaleCard
      // What was typed is about the size that was there.
      key={JSON.stringify([size, problem])}
      appId={app.id}
      {...{ size, isPending, problem, use, canScale }}
    />
  )
}

async function Latest({ deploymentId, path }: { deploymentId: string; path: string }) {
  const { platform, viewer } = await enter()
  const deployment = await getDeployment(platform, viewer, deploymentId)
  return (
    <DeploymentProgress
      key={deployment.id}
      deployment={deployment}
      href={`${path}/deployments/${deployment.number}`}
    />
  )
}

async function Recent({ app, path }: { app: App; path: string }) {
  const { platform, viewer } = await enter()
  const { data } = await listDeployments(platform, viewer, app.id, { limit: 5 })
  return <DeploymentRows deployments={data} path={path} canRollBack={false} />
}
