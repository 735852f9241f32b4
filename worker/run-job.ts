import { setTimeout as sleep } from 'node:timers/promises'
import { UnrecoverableError, Worker } from 'bullmq'
import { type JobData, type JobName, jobId, jobs, queueName } from '../platform/jobs.ts'
import { messageOf, WorkerStopping } from './failure.ts'
import { lookAtGit } from './git/look.ts'
import type { Host } from './host.ts'
import { answerHostQuestion } from './jobs/answer-question.ts'
import { collectGarbage } from './jobs/collect-garbage.ts'
import { collectRegistryGarbage } from './jobs/collect-registry.ts'
import { deleteApp } from './jobs/delete-app.ts'
import { deploy } from './jobs/deploy.ts'
import { runOnce } from './jobs/run-once.ts'
import { scaleApp } from './jobs/scale-app.ts'
import { answerLink, sendMail } from './jobs/send-mail.ts'
import { startApp } from './jobs/start-app.ts'
import { stopApp } from './jobs/stop-app.ts'
import { workOnVolume } from './jobs/work-on-volume.ts'

/** What a handler is told besides its data. */
export interface JobRun {
  /** Aborts with WorkerStopping when the worker may not wait any longer. */
  stopping: AbortSignal
  /** To be called when the work itself begins: 1, or more when it was begun before and threw. */
  countAttempt(): number
}

type Handler<Name extends JobName> = (host: Host, data: JobData<Name>, run: JobRun) => Promise<void>

const handlers: { [Name in JobName]: Handler<Name> } = {
  deploy,
  'stop-app': stopApp,
  'scale-app': scaleApp,
  'start-app': startApp,
  'delete-app': deleteApp,
  'run-once': runOnce,
  'work-on-volume': workOnVolume,
  'sync-edge': (host) => host.edge.sync(),
  'answer-link-request': answerLink,
  'send-mail': sendMail,
  'look-at-git': (host, data, { stopping }) => lookAtGit(host, data, stopping),
  'answer-question': answerHostQuestion,
  'collect-garbage': collectGarbage,
  'collect-registry': collectRegistryGarbage,
}

export interface JobRunner {
  /** Runs a job; who asks for one that is under way gets that one. It comes from the queue, or from reconcile. */
  run<Name extends JobName>(name: Name, data: JobData<Name>): Promise<void>
  /** Waits for what is under way; after `graceMs` tells it to stop where it is. Never throws, never hangs. */
  stop(graceMs: number): Promise<void>
}

export function createJobRunner(host: Host): JobRunner {
  const underWay = new Map<string, Promise<void>>()
  const attempts = new Map<string, number>()
  const stopping = new AbortController()

  async function begin<Name extends JobName>(name: Name, data: JobData<Name>, key: string): Promise<void> {
    const countAttempt = () => {
      const attempt = (attempts.get(key) ?? 0) + 1
      attempts.set(key, attempt)
      return attempt
    }
    try {
      await handlers[name](host, data, { stopping: stopping.signal, countAttempt })
      attempts.delete(key)
    } catch (error) {
      if (!(error instanceof WorkerStopping))
        host.log.warn({ err: error, job: key }, `${name} did not succeed`)
      throw error
    }
  }

  return {
    run(name, data) {
      const key = jobId(name, data)
      const known = underWay.get(key)
      if (known !== undefined) return known
      if (stopping.signal.aborted) return Promise.reject(stopping.signal.reason)
      const work = begin(name, data, key).finally(() => underWay.delete(key))
      underWay.set(key, work)
      return work
    },
    async stop(graceMs) {
      const idle = () => Promise.allSettled(underWay.values())
      await Promise.race([idle(), sleep(graceMs)])
      stopping.abort(new WorkerStopping('the worker stops'))
      await Promise.race([idle(), sleep(abortMs)])
    },
  }
}

/** How long work that was told to stop may take to reach a safe point. */
const abortMs = 5_000

/** Takes the host's jobs from the queue. Deployments wait for each other in the worker, where waiting costs nothing. */
export function serveQueue(host: Host, runner: JobRunner): Worker {
  const { config } = host.platform
  const worker = new Worker(
    queueName(host.id),
    async (job) => {
      const known = job.name in jobs ? (job.name as JobName) : null
      if (known === null) throw new UnrecoverableError(`There is no job ${job.name}.`)
      const parsed = jobs[known].schema.safeParse(job.data)
      if (!parsed.success)
        throw new UnrecoverableError(`${job.name} got data it can't use: ${parsed.error.message}`)
      await runner.run(known, parsed.data as JobData<typeof known>)
    },
    {
      connection: { ...config.redis, maxRetriesPerRequest: null },
      concurrency: 100,
      stalledInterval: 10_000,
    },
  )
  let isAway = false
  worker.on('error', (error) => {
    if (!isAway) host.log.warn(`the queue does not answer: ${messageOf(error)}`)
    isAway = true
  })
  worker.on('ready', () => {
    if (isAway) host.log.info('the queue answers again')
    isAway = false
  })
  return worker
}
