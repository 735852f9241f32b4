import Link from 'next/link'
import { getTranslations } from 'next-intl/server'
import type { Page } from '@/platform/model/resources.ts'
import type { Run } from '@/platform/model/runs.ts'
import { textFromCommand } from '../../../../../_deploy/settings-form.ts'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { Duration } from '../../../../../_ui/duration.client.tsx'
import { MoreLink } from '../../../../../_ui/more-link.tsx'
import { RelativeTime } from '../../../../../_ui/relative-time.client.tsx'
import { RunButton } from './run-button.client.tsx'
import { RunStatusBadge } from './run-status-badge.tsx'

interface RunsCardProps {
  appId: string
  runs: Page<Run>
  path: string
  canRun: boolean
  isLive: boolean
}

export async function RunsCard({ appId, runs, path, canRun, isLive }: RunsCardProps) {
  const t = await getTranslations('jobs')
  const none = isLive ? t('runsNone') : t('runsNotLive')
  return (
    <Card aria-labelledby="runs">
      <CardHeader
        titleId="runs"
        title={t('runs')}
        description={runs.data.length === 0 ? none : t('runsDescription')}
        actions={canRun && <RunButton appId={appId} path={path} />}
      />
      <ul
        className="mt-4 divide-y overflow-hidden rounded-b-xl border-t empty:border-t-0"
        aria-labelledby="runs"
      >
        {runs.data.map((run) => (
          <RunRow key={run.id} run={run} path={path} />
        ))}
      </ul>
      <div className="px-5 pb-4 empty:hidden">
        <MoreLink path={path} query={{}} nextCursor={runs.nextCursor} />
      </div>
    </Card>
  )
}

async function RunRow({ run, path }: { run: Run; path: string }) {
  const t = await getTranslations('jobs')
  return (
    <li className="relative flex flex-wrap items-center gap-x-4 gap-y-1.5 px-5 py-3 hover:bg-sunken">
      <Link
        href={`${path}/${run.number}`}
        className="w-12 rounded font-medium tabular-nums after:absolute after:inset-0"
      >
        #{run.number}
      </Link>
      <div className="sm:w-28">
        <RunStatusBadge status={run.status} />
      </div>
      <div className="min-w-0 flex-[1_1_14rem]">
        <p className="truncate font-mono text-[13px]" title={textFromCommand(run.command)}>
          {textFromCommand(run.command)}
        </p>
        <p className="text-muted text-xs">
          {run.cronJobName ?? t('once')}
          {run.by !== null && ` · ${run.by}`}
          {' · '}
          <RelativeTime at={run.createdAt} />
        </p>
      </div>
      <span className="text-muted text-xs">
        {run.startedAt !== null && run.finishedAt !== null && (
          <Duration from={run.startedAt} to={run.finishedAt} />
        )}
      </span>
    </li>
  )
}
