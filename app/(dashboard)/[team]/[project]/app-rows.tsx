import { ExternalLink } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import type { App } from '@/platform/model/resources.ts'
import { AlertBadge } from '../../../_ui/alert-badge.tsx'
import { RelativeTime } from '../../../_ui/relative-time.client.tsx'
import { AppStatusBadge } from '../../../_ui/status-badge.tsx'

interface AppRowsProps {
  apps: App[]
  path: string
  /** How many alerts fire, by the apps' ids. */
  firing: ReadonlyMap<string, number>
}

/** The apps of a project; the whole row leads to the app, its address to what it serves. */
export function AppRows({ apps, path, firing }: AppRowsProps) {
  const t = useTranslations('project')
  return (
    <ul aria-label={t('apps')} className="divide-y overflow-hidden rounded-xl border bg-surface shadow-card">
      {apps.map((app) => (
        <li
          key={app.id}
          className="relative flex flex-wrap items-center gap-x-5 gap-y-2 px-5 py-4 hover:bg-sunken"
        >
          <div className="min-w-0 flex-[1_1_16rem]">
            <h2 className="truncate font-semibold">
              <Link href={`${path}/${app.slug}`} className="rounded after:absolute after:inset-0">
                {app.name}
              </Link>
            </h2>
            <p className="truncate font-mono text-muted text-xs" title={app.settings.image}>
              {app.settings.image}
            </p>
          </div>
          <div className="min-w-0 flex-[1_1_12rem]">
            <AppAddress url={app.urls[0]} />
            <p className="text-muted text-xs">
              {app.latestDeployment === null ? (
                t('neverDeployed')
              ) : (
                <>
                  {t('deployed')} <RelativeTime at={app.latestDeployment.createdAt} />
                </>
              )}
            </p>
          </div>
          <div className="flex flex-wrap gap-1.5 sm:w-28 sm:justify-end">
            <AlertBadge count={firing.get(app.id) ?? 0} />
            <AppStatusBadge status={app.status} />
          </div>
        </li>
      ))}
    </ul>
  )
}

function AppAddress({ url }: { url: string | undefined }) {
  if (url === undefined) return null
  return (
    <a
      href={url}
      target="_blank"
      rel="noreferrer"
      className="relative z-10 inline-flex max-w-full items-center gap-1.5 rounded text-accent-text hover:underline"
    >
      <span className="truncate">{url.replace(/^https?:\/\//, '')}</span>
      <ExternalLink aria-hidden className="size-3.5 shrink-0" />
    </a>
  )
}
