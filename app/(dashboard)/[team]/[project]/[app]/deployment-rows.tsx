import Link from 'next/link'
import { useTranslations } from 'next-intl'
import type { Deployment } from '@/platform/model/resources.ts'
import { Duration } from '../../../../_ui/duration.client.tsx'
import { RelativeTime } from '../../../../_ui/relative-time.client.tsx'
import { DeploymentStatusBadge } from '../../../../_ui/status-badge.tsx'
import { RollbackButton } from './rollback-button.client.tsx'

interface DeploymentRowsProps {
  deployments: Deployment[]
  path: string
  canRollBack: boolean
}

export function DeploymentRows({ deployments, path, canRollBack }: DeploymentRowsProps) {
  const t = useTranslations('deployments')
  const tBuild = useTranslations('build')
  return (
    <ul aria-label={t('title')} className="divide-y overflow-hidden rounded-b-xl">
      {deployments.map((deployment) => {
        const end = deployment.liveAt ?? deployment.finishedAt
        return (
          <li
            key={deployment.id}
            className="relative flex flex-wrap items-center gap-x-4 gap-y-1.5 px-5 py-3 hover:bg-sunken"
          >
            <Link
              href={`${path}/deployments/${deployment.number}`}
              className="w-12 rounded font-medium tabular-nums after:absolute after:inset-0"
            >
              #{deployment.number}
            </Link>
            <div className="sm:w-28">
              <DeploymentStatusBadge status={deployment.status} />
            </div>
            <div className="min-w-0 flex-[1_1_14rem]">
              <p className="truncate font-mono text-[13px]" title={deployment.image}>
                {deployment.image}
              </p>
              <p className="text-muted text-xs">
                {t(`trigger.${deployment.trigger}`)}
                {deployment.build !== null && ` · ${tBuild('source')}`}
                {deployment.createdBy !== null && ` · ${deployment.createdBy}`}
                {' · '}
                <RelativeTime at={deployment.createdAt} />
              </p>
            </div>
            <span className="text-muted text-xs">
              {end !== null && deployment.startedAt !== null && (
                <Duration from={deployment.startedAt} to={end} />
              )}
            </span>
            {canRollBack && deployment.rollback !== null && (
              <div className="relative z-10 flex items-center gap-2">
                {deployment.rollback === 'pull' && (
                  <span className="text-muted text-xs" title={t('notKept')}>
                    {t('notKeptShort')}
                  </span>
                )}
                <RollbackButton deploymentId={deployment.id} number={deployment.number} path={path} />
              </div>
            )}
          </li>
        )
      })}
    </ul>
  )
}
