import { Terminal } from 'lucide-react'
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { roleIncludes } from '@/platform/model/roles.ts'
import { loadApp } from '../../../../../_shell/load.ts'
import { EmptyState } from '../../../../../_ui/empty-state.tsx'
import { TerminalView } from './terminal-view.client.tsx'

type Props = PageProps<'/[team]/[project]/[app]/terminal'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('terminal'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

export default async function TerminalPage({ params }: Props) {
  const names = await params
  const { app, project } = await loadApp(names.team, names.project, names.app)
  if (!roleIncludes(project.role, 'developer')) notFound()
  const t = await getTranslations('terminal')
  const running = app.containers.filter(({ state }) => state === 'running')
  if (running.length === 0)
    return <EmptyState icon={Terminal} title={t('noneTitle')} description={t('noneDescription')} />
  const containers = running.map(({ id, process, replica, deploymentId }) => ({
    id,
    label: t(deploymentId === app.liveDeploymentId ? 'container' : 'otherContainer', {
      process,
      replica: replica + 1,
    }),
    isLive: deploymentId === app.liveDeploymentId,
  }))
  containers.sort((one, other) => Number(other.isLive) - Number(one.isLive))
  return <TerminalView appId={app.id} containers={containers} />
}
