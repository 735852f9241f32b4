/** `berth cron`: commands that an app runs by a schedule. */
import type { CreateCronJobInput, CronJob, Run } from '../../platform/model/runs.ts'
import type { LoginOptions } from '../client.ts'
import { ago, table } from '../engine/table.ts'
import { say } from '../say.ts'
import { type ListOptions, named, numberOf, openApp } from './open.ts'

export interface CronOptions extends LoginOptions {
  schedule: string
  timeZone?: string
  concurrency?: CreateCronJobInput['concurrency']
  limit?: string
}

export async function listCronJobs(name: string, options: ListOptions): Promise<void> {
  const { client, app, path } = await openApp(name, options)
  const { data } = await client.get<{ data: CronJob[] }>(`/apps/${app.id}/cron-jobs`)
  if (options.json) return say(JSON.stringify(data, null, 2))
  if (data.length === 0) return say(`${path} has no cron jobs.`)
  say(cronTable(data))
}

export function cronTable(jobs: readonly CronJob[]): string {
  return table(
    ['NAME', 'SCHEDULE', 'NEXT', 'LAST', 'COMMAND'],
    jobs.map(({ name, schedule, timeZone, isEnabled, nextAt, lastRun, command }) => [
      ...[name, `${schedule} (${timeZone})`],
      isEnabled ? (nextAt ?? 'when the app runs') : 'switched off',
      lastRun === null ? 'never' : `${lastRun.status}, ${ago(lastRun.createdAt)}`,
      command.join(' '),
    ]),
  )
}

export async function addCronJob(
  name: string,
  job: string,
  argv: string[],
  options: CronOptions,
): Promise<void> {
  const input = cronJobOf(job, argv, options)
  const { client, app, path } = await openApp(name, options)
  const made = await client.post<CronJob>(`/apps/${app.id}/cron-jobs`, input)
  say(
    `${made.name} of ${path} runs ${made.nextAt === null ? 'as soon as the app does' : `next at ${made.nextAt}`}.`,
  )
}

/** What the API is asked for. */
export function cronJobOf(
  name: string,
  argv: string[],
  { schedule, timeZone, concurrency, limit }: CronOptions,
): CreateCronJobInput {
  return {
    ...{ name, schedule, command: argv[0] === '--' ? argv.slice(1) : argv },
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(limit === undefined ? {} : { timeoutMs: Math.round(numberOf('limit', limit) * 1_000) }),
  }
}

export async function onCronJob(
  verb: 'run' | 'pause' | 'resume' | 'remove',
  name: string,
  job: string,
  options: LoginOptions,
): Promise<void> {
  const { client, app } = await openApp(name, options)
  const { data } = await client.get<{ data: CronJob[] }>(`/apps/${app.id}/cron-jobs`)
  const at = `/cron-jobs/${named('cron job', data, job).id}`
  switch (verb) {
    case 'run': {
      const run = await client.post<Run>(`${at}/run`)
      return say(`Run ${run.number} of ${job} is on its way.`)
    }
    case 'remove':
      await client.change('DELETE', at)
      return say(`${job} is removed.`)
    case 'pause':
    case 'resume':
      await client.change<CronJob>('PATCH', at, { isEnabled: verb === 'resume' })
      return say(`${job} is switched ${verb === 'resume' ? 'on' : 'off'}.`)
  }
}
