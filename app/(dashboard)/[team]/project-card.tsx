import Link from 'next/link'
import { useTranslations } from 'next-intl'
import type { App, Project } from '@/platform/model/resources.ts'
import { AlertBadge } from '../../_ui/alert-badge.tsx'
import { RelativeTime } from '../../_ui/relative-time.client.tsx'
import { Skeleton } from '../../_ui/skeleton.tsx'
import { AppStatusBadge } from '../../_ui/status-badge.tsx'

/** How many of a project's apps its card names. */
export const shownApps = 4

interface ProjectCardProps {
  path: string
  project: Project
  apps: App[]
  /** How many alerts fire in it. */
  firing: number
}

export function ProjectCard({ path, project, apps, firing }: ProjectCardProps) {
  const t = useTranslations('overview')
  const tProject = useTranslations('project')
  const rest = project.appCount - apps.length
  return (
    <li className="flex flex-col rounded-xl border bg-surface shadow-card transition-colors hover:border-border-strong">
      <div className="flex items-baseline justify-between gap-3 px-5 pt-4 pb-3">
        <h2 className="min-w-0 truncate font-semibold text-[15px]">
          <Link href={path} className="rounded hover:text-accent-text">
            {project.name}
          </Link>
        </h2>
        <span className="flex shrink-0 items-center gap-2 text-muted text-xs">
          <AlertBadge count={firing} />
          {t('appCount', { count: project.appCount })}
        </span>
      </div>
      {project.appCount === 0 ? (
        <p className="px-5 pb-5 text-muted">{t('noApps')}</p>
      ) : (
        <ul className="flex-1 border-t">
          {apps.map((app) => (
            <li key={app.id}>
              <Link
                href={`${path}/${app.slug}`}
                className="flex items-center gap-3 px-5 py-2.5 -outline-offset-2 hover:bg-sunken"
              >
                <span className="min-w-0 flex-1">
                  <span className="block truncate font-medium">{app.name}</span>
                  <span className="block truncate text-muted text-xs">
                    {app.latestDeployment === null ? (
                      t('neverDeployed')
                    ) : (
                      <>
                        {tProject('deployed')} <RelativeTime at={app.latestDeployment.createdAt} />
                      </>
                    )}
                  </span>
                </span>
                <AppStatusBadge status={app.status} />
              </Link>
            </li>
          ))}
          {rest > 0 && (
            <li>
              <Link
                href={path}
                className="block px-5 py-2.5 text-muted -outline-offset-2 hover:text-foreground"
              >
                {t('moreApps', { count: rest })}
              </Link>
            </li>
          )}
        </ul>
      )}
    </li>
  )
}

export function ProjectCardsSkeleton() {
  return (
    <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
      {[1, 2].map((card) => (
        <div key={card} className="space-y-4 rounded-xl border bg-surface px-5 py-4">
          <Skeleton className="h-5 w-32" />
          <Skeleton className="h-9 w-full" />
          <Skeleton className="h-9 w-full" />
        </div>
      ))}
    </div>
  )
}
