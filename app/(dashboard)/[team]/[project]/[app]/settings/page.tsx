import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { roleIncludes } from '@/platform/model/roles.ts'
import { formFromSettings } from '../../../../../_deploy/settings-form.ts'
import { loadApp } from '../../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { Notice } from '../../../../../_ui/notice.tsx'
import { DangerZone } from './danger-zone.client.tsx'
import { FollowCard } from './follow-card.tsx'
import { SettingsForm } from './settings-form.client.tsx'

type Props = PageProps<'/[team]/[project]/[app]/settings'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('appSettings'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

export default async function AppSettingsPage({ params }: Props) {
  const names = await params
  const { team, project, app, path } = await loadApp(names.team, names.project, names.app)
  const [t, tDeployments] = await Promise.all([
    getTranslations('appSettings'),
    getTranslations('deployments'),
  ])
  if (!roleIncludes(project.role, 'developer')) return <Notice tone="warning">{t('notAllowed')}</Notice>
  return (
    <div className="space-y-5">
      <Card>
        <CardHeader title={t('title')} description={t('description')} />
        <div className="space-y-5 p-5">
          {app.stopsFirst && <Notice tone="warning">{tDeployments('gap')}</Notice>}
          <SettingsForm appId={app.id} path={path} name={app.name} values={formFromSettings(app.settings)} />
        </div>
      </Card>
      <FollowCard app={app} />
      <DangerZone app={{ id: app.id, name: app.name }} projectPath={`/${team.slug}/${project.slug}`} />
    </div>
  )
}
