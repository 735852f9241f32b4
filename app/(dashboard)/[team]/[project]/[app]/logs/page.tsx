import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { loadApp } from '../../../../../_shell/load.ts'
import { LogView } from './log-view.client.tsx'

type Props = PageProps<'/[team]/[project]/[app]/logs'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('logs'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

export default async function LogsPage({ params }: Props) {
  const names = await params
  const { app } = await loadApp(names.team, names.project, names.app)
  return <LogView appId={app.id} isRunning={app.status === 'running' || app.status === 'deploying'} />
}
