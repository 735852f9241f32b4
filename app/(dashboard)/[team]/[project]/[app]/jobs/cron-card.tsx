import cronstrue from 'cronstrue'
import 'cronstrue/locales/zh_CN.js'
import Link from 'next/link'
import { getFormatter, getLocale, getTranslations } from 'next-intl/server'
import type { CronJob } from '@/platform/model/runs.ts'
import { textFromCommand } from '../../../../../_deploy/settings-form.ts'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { RelativeTime } from '../../../../../_ui/relative-time.client.tsx'
import { CronButton } from './cron-button.client.tsx'
import { CronMenu } from './cron-menu.client.tsx'
import { RunStatusBadge } from './run-status-badge.tsx'

interface CronCardProps {
  appId: string
  cronJobs: CronJob[]
  path: string
  canEdit: boolean
  canRun: boolean
}

export async function CronCard({ appId, cronJobs, path, canEdit, canRun }: CronCardProps) {
  const t = await getTranslations('jobs')
  return (
    <Card aria-labelledby="cron-jobs">
      <CardHeader
        titleId="cron-jobs"
        title={t('cronJobs')}
        description={cronJobs.length === 0 ? t('cronNone') : t('cronDescription')}
        actions={canEdit && <CronButton appId={appId} />}
      />
      <ul className="mt-4 divide-y border-t empty:border-t-0" aria-labelledby="cron-jobs">
        {cronJobs.map((job) => (
          <CronRow key={job.id} job={job} path={path} canEdit={canEdit} canRun={canRun} />
        ))}
      </ul>
    </Card>
  )
}

interface CronRowProps {
  job: CronJob
  path: string
  canEdit: boolean
  canRun: boolean
}

async function CronRow({ job, path, canEdit, canRun }: CronRowProps) {
  const [t, format, locale] = await Promise.all([getTranslations('jobs'), getFormatter(), getLocale()])
  const { lastRun, nextAt, timeZone } = job
  const next =
    nextAt !== null &&
    format.dateTime(new Date(nextAt), { dateStyle: 'medium', timeStyle: 'short', timeZone })
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
      <div className="min-w-0 flex-[1_1_16rem]">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium">{job.name}</span>
          <code className="text-[13px]">{job.schedule}</code>
        </p>
        <p className="text-muted text-xs">
          {inWords(job.schedule, locale)}
          {' · '}
          {next === false ? t('off') : t('next', { time: next, timeZone })}
        </p>
        <p className="mt-1 truncate font-mono text-muted text-xs">{textFromCommand(job.command)}</p>
      </div>
      {lastRun !== null && (
        <Link href={`${path}/${lastRun.number}`} className="flex items-center gap-2 text-muted text-xs">
          <RunStatusBadge status={lastRun.status} />
          <RelativeTime at={lastRun.startedAt ?? lastRun.createdAt} />
        </Link>
      )}
      {canEdit && <CronMenu job={job} path={path} canRun={canRun} />}
    </li>
  )
}

function inWords(schedule: string, locale: string): string {
  const isChinese = locale === 'zh-CN'
  try {
    const words = cronstrue.toString(schedule, {
      locale: isChinese ? 'zh_CN' : 'en',
      use24HourTimeFormat: true,
      verbose: false,
    })
    // The library puts Latin commas between its Chinese words.
    return isChinese ? words.replaceAll(', ', '，') : words
  } catch {
    return schedule
  }
}
