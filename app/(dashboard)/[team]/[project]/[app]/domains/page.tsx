import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { roleIncludes } from '@/platform/model/roles.ts'
import { AccessCard } from '../../../../../_access/access-card.tsx'
import { DomainsView } from '../../../../../_domains/domains-view.tsx'
import { PortsCard } from '../../../../../_ports/ports-card.tsx'
import { loadApp } from '../../../../../_shell/load.ts'
import { RowsSkeleton } from '../../../../../_ui/skeleton.tsx'

type Props = PageProps<'/[team]/[project]/[app]/domains'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('domains'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

export default async function DomainsPage({ params }: Props) {
  const names = await params
  const { project, app } = await loadApp(names.team, names.project, names.app)
  return (
    <Suspense fallback={<RowsSkeleton rows={2} />}>
      <div className="space-y-6">
        <DomainsView
          appId={app.id}
          isPublic={app.settings.isPublic}
          canChange={roleIncludes(project.role, 'developer')}
        />
        <PortsCard
          appId={app.id}
          processes={Object.keys(app.settings.processes).sort()}
          canChange={roleIncludes(project.role, 'developer')}
        />
        <AccessCard appId={app.id} canChange={roleIncludes(project.role, 'developer')} />
      </div>
    </Suspense>
  )
}
