import { ExternalLink } from 'lucide-react'
import Link from 'next/link'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { roleIncludes } from '@/platform/model/roles.ts'
import { PortAddresses } from '../../../../_ports/port-addresses.tsx'
import { loadApp, loadFiring } from '../../../../_shell/load.ts'
import { AlertBadge } from '../../../../_ui/alert-badge.tsx'
import { CopyButton } from '../../../../_ui/copy-button.client.tsx'
import { AppStatusBadge } from '../../../../_ui/status-badge.tsx'
import { AppActions } from './app-actions.client.tsx'
import { AppTabs } from './app-tabs.client.tsx'

export default async function AppLayout({ params, children }: LayoutProps<'/[team]/[project]/[app]'>) {
  const names = await params
  const { team, project, app, path } = await loadApp(names.team, names.project, names.app)
  const [t, firing] = await Promise.all([getTranslations('app'), loadFiring(team.id)])
  const firingHere = firing.get(app.id) ?? 0
  const [url] = app.urls
  return (
    <>
      <nav aria-label={t('breadcrumb')} className="mb-2 text-muted">
        <Link href={`/${team.slug}/${project.slug}`} className="wrap-anywhere rounded hover:text-foreground">
          {project.name}
        </Link>
      </nav>
      <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-4">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
            <h1 className="wrap-anywhere min-w-0 font-semibold text-2xl tracking-tight">{app.name}</h1>
            <span role="status" aria-label={t('status')}>
              <AppStatusBadge status={app.status} />
            </span>
            {firingHere > 0 && (
              <Link href={`${path}/alerts`} className="rounded-full">
                <AlertBadge count={firingHere} />
              </Link>
            )}
          </div>
          {url === undefined && !app.settings.isPublic && <p className="mt-1 text-muted">{t('hidden')}</p>}
          {url !== undefined && (
            <div className="mt-1 flex items-center gap-1">
              <a
                href={url}
                target="_blank"
                rel="noreferrer"
                className="inline-flex min-w-0 items-center gap-1.5 rounded text-accent-text hover:underline"
              >
                <span className="break-all">{url.replace(/^https?:\/\//, '')}</span>
                <ExternalLink aria-hidden className="size-3.5 shrink-0" />
                <span className="sr-only">{t('newTab')}</span>
              </a>
              <CopyButton text={url} label={t('copyAddress')} />
            </div>
          )}
          <Suspense>
            <PortAddresses appId={app.id} />
          </Suspense>
        </div>
        {roleIncludes(project.role, 'developer') && app.status !== 'deleting' && (
          <AppActions
            app={{
              id: app.id,
              name: app.name,
              isStopped: app.desiredState === 'stopped',
              hasLive: app.liveDeploymentId !== null,
              isDeployed: app.latestDeployment !== null,
              stopsFirst: app.stopsFirst,
            }}
            path={path}
            projectPath={`/${team.slug}/${project.slug}`}
          />
        )}
      </header>
      <AppTabs path={path} role={project.role} />
      {children}
    </>
  )
}
