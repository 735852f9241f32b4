import type { Metadata } from 'next'
import Link from 'next/link'
import { getTranslations } from 'next-intl/server'
import { roleIncludes } from '@/platform/model/roles.ts'
import { isRunOver } from '@/platform/model/runs.ts'
import { textFromCommand } from '../../../../../../_deploy/settings-form.ts'
import { loadRun } from '../../../../../../_shell/load.ts'
import { AnsiText } from '../../../../../../_ui/ansi-text.tsx'
import { Card, CardHeader } from '../../../../../../_ui/card.tsx'
import { CopyButton } from '../../../../../../_ui/copy-button.client.tsx'
import { Duration } from '../../../../../../_ui/duration.client.tsx'
import { Notice } from '../../../../../../_ui/notice.tsx'
import { RelativeTime } from '../../../../../../_ui/relative-time.client.tsx'
import { RunStatusBadge } from '../run-status-badge.tsx'
import { CancelRunButton } from './cancel-run-button.client.tsx'
import { ReadAgain } from './read-again.client.tsx'

type Props = PageProps<'/[team]/[project]/[app]/jobs/[number]'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app, run }] = await Promise.all([
    getTranslations('jobs'),
    loadRun(names.team, names.project, names.app, names.number),
  ])
  return { title: `${t('runTitle', { number: run.number })} · ${app.name}` }
}

/** One run of a command: how it went, and what it wrote. */
export default async function RunPage({ params }: Props) {
  const names = await params
  const { project, run, path } = await loadRun(names.team, names.project, names.app, names.number)
  const [t, tTimeline] = await Promise.all([getTranslations('jobs'), getTranslations('timeline')])
  const isOver = isRunOver(run.status)
  const noLog = run.log.length > 0 ? undefined : isOver ? t('logNone') : t('logNotYet')
  return (
    <div className="space-y-6">
      {!isOver && <ReadAgain everyMs={1_500} />}
      <Card>
        <CardHeader
          title={
            <span className="flex flex-wrap items-center gap-3">
              {t('runTitle', { number: run.number })}
              <RunStatusBadge status={run.status} />
            </span>
          }
          description={
            <>
              {run.cronJobName ?? t('once')}
              {run.by !== null && ` · ${run.by}`}
              {' · '}
              <RelativeTime at={run.createdAt} />
              {' · '}
              <Link href={`${path}/deployments/${run.deploymentNumber}`} className="hover:underline">
                {t('ofDeployment', { number: run.deploymentNumber })}
              </Link>
              {run.startedAt !== null && run.finishedAt !== null && (
                <>
                  {' · '}
                  <Duration from={run.startedAt} to={run.finishedAt} />
                </>
              )}
            </>
          }
          actions={!isOver && roleIncludes(project.role, 'developer') && <CancelRunButton id={run.id} />}
        />
        <div className="space-y-4 p-5">
          <pre className="overflow-x-auto rounded-lg bg-sunken px-3 py-2 font-mono text-[13px]">
            {textFromCommand(run.command)}
          </pre>
          {run.reason !== null && (
            <Notice tone={run.status === 'skipped' ? 'warning' : 'danger'}>
              {tTimeline(`runReason.${run.reason}`)}
              {run.exitCode !== null && ` ${t('exitCode', { code: run.exitCode })}`}
              {['start-failed', 'image', 'internal'].includes(run.reason) && run.message !== null && (
                <span className="mt-1 block">{run.message}</span>
              )}
            </Notice>
          )}
        </div>
      </Card>
      <Card aria-labelledby="log" className={run.log.length === 0 ? 'pb-4' : undefined}>
        <CardHeader
          titleId="log"
          title={t('log')}
          description={run.isAttached ? t('logAttached') : noLog}
          actions={
            run.log.length > 0 && (
              <CopyButton text={run.log.map(({ text }) => text).join('\n')} label={t('copyLog')} />
            )
          }
        />
        {run.log.length > 0 && (
          <div className="mt-3 border-t px-5 py-3 font-mono text-[13px] leading-5">
            {run.log.map(({ time, stream, text }, at) => (
              <p
                // biome-ignore lint/suspicious/noArrayIndexKey: lines never change places
                key={`${time}-${at}`}
                className={
                  stream === 'stderr'
                    ? 'whitespace-pre-wrap break-all text-danger'
                    : 'whitespace-pre-wrap break-all'
                }
              >
                <AnsiText>{text}</AnsiText>
              </p>
            ))}
          </div>
        )}
      </Card>
    </div>
  )
}
