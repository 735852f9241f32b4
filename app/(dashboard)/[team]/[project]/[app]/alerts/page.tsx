import type { Metadata } from 'next'
import Link from 'next/link'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { listAppAlertRules } from '@/platform/alerts/rules.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { AlertRuleList } from '../../../../../_alerts/alert-rule-list.tsx'
import { enter, loadApp } from '../../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { RowsSkeleton } from '../../../../../_ui/skeleton.tsx'

type Props = PageProps<'/[team]/[project]/[app]/alerts'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('alerts'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

/** What Berth watches of the app. */
export default async function AlertsPage({ params }: Props) {
  const names = await params
  const { app, project, team, path } = await loadApp(names.team, names.project, names.app)
  const t = await getTranslations('alerts')
  return (
    <Card aria-labelledby="alert-rules" className="overflow-hidden">
      <CardHeader
        titleId="alert-rules"
        title={t('rules')}
        description={t.rich('description', {
          timeline: (words) => <InText href={`${path}/timeline?kind=alert`}>{words}</InText>,
          channels: (words) =>
            roleIncludes(team.role, 'admin') ? (
              <InText href={`/${team.slug}/settings/notifications`}>{words}</InText>
            ) : (
              words
            ),
        })}
      />
      <div className="mt-4">
        <Suspense fallback={<RowsSkeleton rows={5} />}>
          <Rules appId={app.id} canEdit={roleIncludes(project.role, 'developer')} />
        </Suspense>
      </div>
    </Card>
  )
}

function InText({ href, children }: { href: string; children: React.ReactNode }) {
  return (
    <Link href={href} className="rounded text-accent-text underline">
      {children}
    </Link>
  )
}

async function Rules({ appId, canEdit }: { appId: string; canEdit: boolean }) {
  const { platform, viewer } = await enter()
  const [t, rules] = await Promise.all([
    getTranslations('alerts'),
    listAppAlertRules(platform, viewer, appId),
  ])
  return (
    <AlertRuleList of={{ subject: 'app', id: appId }} rules={rules} canEdit={canEdit} label={t('rules')} />
  )
}
