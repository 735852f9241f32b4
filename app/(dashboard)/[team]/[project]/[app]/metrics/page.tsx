import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { loadApp } from '../../../../../_shell/load.ts'
import { MetricsView } from './metrics-view.client.tsx'

type Props = PageProps<'/[team]/[project]/[app]/metrics'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('metrics'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

export default async function MetricsPage({ params }: Props) {
  const names = await params
  const { app, path } = await loadApp(names.team, names.project, names.app)
  return <MetricsView appId={app.id} path={path} />
}
