import { FolderOpen } from 'lucide-react'
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { roleIncludes } from '@/platform/model/roles.ts'
import { listVolumes } from '@/platform/volumes.ts'
import { enter, loadApp } from '../../../../../_shell/load.ts'
import { EmptyState } from '../../../../../_ui/empty-state.tsx'
import { type FilePlace, FilesView } from './files-view.client.tsx'

type Props = PageProps<'/[team]/[project]/[app]/files'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('files'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

export default async function FilesPage({ params }: Props) {
  const names = await params
  const { app, project } = await loadApp(names.team, names.project, names.app)
  if (!roleIncludes(project.role, 'developer')) notFound()
  const { platform, viewer } = await enter()
  const [t, all] = await Promise.all([getTranslations('files'), listVolumes(platform, viewer, app.id)])
  const containers = app.containers
    .filter(({ state }) => state === 'running')
    .map(({ id, process, replica, deploymentId }) => {
      const isLive = deploymentId === app.liveDeploymentId
      const label = t(isLive ? 'container' : 'otherContainer', { process, replica: replica + 1 })
      return { id, isLive, label }
    })
    .sort((one, other) => Number(other.isLive) - Number(one.isLive))
  const volumes = all.filter(({ isMade, deletedAt }) => isMade && deletedAt === null)
  const [first, ...rest]: FilePlace[] = [
    ...containers.map(({ id, label }) => ({ id, label, kind: 'container' as const })),
    ...volumes.map(({ id, name }) => ({ id, label: t('volume', { name }), kind: 'volume' as const })),
  ]
  if (first === undefined)
    return <EmptyState icon={FolderOpen} title={t('noneTitle')} description={t('noneDescription')} />
  return <FilesView appId={app.id} places={[first, ...rest]} />
}
