import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { listDeployments } from '@/platform/deployments.ts'
import { processesOf } from '@/platform/model/processes.ts'
import { enter, loadApp } from '../../../../../_shell/load.ts'
import { LogExplorer } from './log-explorer.client.tsx'

type Props = PageProps<'/[team]/[project]/[app]/logs'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('logs'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

export default async function LogsPage({ params, searchParams }: Props) {
  const [names, asked] = await Promise.all([params, searchParams])
  const { app } = await loadApp(names.team, names.project, names.app)
  const { platform, viewer } = await enter()
  const deployments = await listDeployments(platform, viewer, app.id, { limit: 50 })
  const processes = processesOf(app.settings)
  const single = Object.entries(asked).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value]] : [],
  )
  return (
    <LogExplorer
      appId={app.id}
      isRunning={app.status === 'running' || app.status === 'deploying'}
      places={{
        processes: [...processes.map(({ name }) => name), 'release', 'run'],
        replicas: Math.max(1, ...processes.map(({ replicas }) => replicas)),
        deployments: deployments.data.map(({ id, number }) => ({ id, number })),
      }}
      address={new URLSearchParams(single).toString()}
    />
  )
}
