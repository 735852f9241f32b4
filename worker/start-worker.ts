import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createEngine, type Engine } from '../engine/index.ts'
import berth from '../package.json' with { type: 'json' }
import { evaluateAlerts } from '../platform/alerts/evaluate.ts'
import { expireAudit } from '../platform/audit-retention.ts'
import { orderCertificates } from '../platform/certificates/acme/work.ts'
import { desiredCertificates } from '../platform/certificates/desired.ts'
import { checkDueDomains } from '../platform/domains/verify.ts'
import { followPushes } from '../platform/follow-pushes.ts'
import { dueLooks } from '../platform/git/looks.ts'
import { tellCommitStatuses } from '../platform/git/statuses.ts'
import { hurryLinkRequests } from '../platform/link-requests.ts'
import { hurryDueMail } from '../platform/mail/outbox.ts'
import type { RecoveryCause } from '../platform/model/app-event-kinds.ts'
import { metricSteps } from '../platform/model/metrics.ts'
import { sweepDeliveries } from '../platform/notifications/deliveries.ts'
import type { Platform } from '../platform/open.ts'
import { followElsewhere } from '../platform/registries/follow-elsewhere.ts'
import { ownToken } from '../platform/registry/grant.ts'
import { ownRepository } from '../platform/registry/own-name.ts'
import { reconcileRegistry } from '../platform/registry/reconcile.ts'
import { sweepTimelines } from '../platform/timeline.ts'
import { sweepBuilds } from '../platform/worker/builds.ts'
import { desiredPorts } from '../platform/worker/desired-ports.ts'
import { desiredRoutes } from '../platform/worker/desired-routes.ts'
import { registerHost, reportRefusedPorts } from '../platform/worker/hosts.ts'
import { logLimits, reportLogUse } from '../platform/worker/log-use.ts'
import { purgeTeams } from '../platform/worker/purge-teams.ts'
import { takeDueCronJobs } from '../platform/worker/runs.ts'
import { buildLimits, buildPlaces, hasRoomFor } from './builds/limits.ts'
import { createBuildTurns } from './builds/turns.ts'
import { createEdge } from './edge/edge.ts'
import { edgeSettings } from './edge/settings.ts'
import { openEngineDoor } from './engine-door/open-door.ts'
import { messageOf, WorkerStopping } from './failure.ts'
import { serveFiles } from './files/serve-files.ts'
import { servePushes } from './git/push-server.ts'
import type { Host } from './host.ts'
import { createLocks, createSlots } from './locks.ts'
import { createLogCollector } from './logs/collector.ts'
import { runDrains } from './logs/drains.ts'
import { keptLogs } from './logs/kept.ts'
import { openLogStore } from './logs/store/open-log-store.ts'
import { createEdgeCounter } from './metrics/edge-use.ts'
import { createRollUps } from './metrics/roll-ups.ts'
import { createSampler } from './metrics/sampler.ts'
import { serveDeliveries } from './notifications.ts'
import { createPorts, withPorts } from './ports.ts'
import { createReconciler } from './reconcile.ts'
import { readRegistries } from './registries.ts'
import { putBackHeld } from './registry/collect.ts'
import { registryFiles } from './registry/layout.ts'
import { regularly } from './regularly.ts'
import { removeNamespace } from './remove-namespace.ts'
import { createJobRunner, serveQueue } from './run-job.ts'
import { openTerminals } from './terminal/open-terminals.ts'
import { terminalSocketName } from './terminal/socket-name.ts'
import { followContainers } from './timeline.ts'
import { measureVolumes } from './volumes.ts'

export interface RunningWorker {
  /** Containers run on. Work under way reaches a safe point within about `graceMs`; nothing here hangs. */
  stop(graceMs: number): Promise<void>
}

const concurrentDeployments = 4
const concurrentRuns = 20
const concurrentLooks = 4
const cronEveryMs = 1_000
const collectEveryMs = 15 * 60_000
const collectRegistryEveryMs = 60 * 60_000
const purgeEveryMs = 60_000
const pruneLogsEveryMs = 60_000
const postEveryMs = 20_000
const measureVolumesEveryMs = 10_000
const sampleEveryMs = metricSteps[0].seconds * 1_000
const rollUpEveryMs = 60_000
const judgeAlertsEveryMs = 15_000
/** The notes of a busy second fill the pipe that they wait in. */
const countEveryMs = 250
/** What the registry tells may be lost; this long it stays so. */
const compareRegistryEveryMs = 60_000
const checkDomainsEveryMs = 15_000
const orderCertificatesEveryMs = 5_000
/** Whose turn it is says each app; this is only how late that is seen. */
const lookElsewhereEveryMs = 10_000
const lookAtGitEveryMs = 5_000
const tellForgesEveryMs = 3_000
const expireEveryMs = 60 * 60_000

/**
 * Puts the worker of this host together and starts it: engine, edge, logs, reconcile, queue, in this order. When it
 * resolves, what should run was compared with what runs and the edge's configuration is on disk. Waits for the
 * database as long as it takes; the signal ends the waiting.
 */
export async function startWorker(platform: Platform, signal: AbortSignal): Promise<RunningWorker> {
  const { config, log } = platform
  const ready = join(config.home, 'run/worker.ready')
  await rm(ready, { force: true })
  const engine = await openEngine(platform)
  const logStore = openLogStore(join(config.home, 'app-logs'))
  const logs = createLogCollector({ platform, containers: engine.containers, store: logStore, log })
  const ports = createPorts({
    networks: engine.networks,
    readPorts: () => desiredPorts(platform, config.hostId),
    report: (refused) => reportRefusedPorts(platform, config.hostId, refused),
    log,
  })
  const routes = createEdge({
    settings: edgeSettings(config),
    readRoutes: () => desiredRoutes(platform, config.hostId),
    readCertificates: () => desiredCertificates(platform, config.hostId),
    onRestart: () => tellAll('edge-restarted'),
    log,
  })
  const edge = withPorts(routes, ports)
  function tellAll(cause: RecoveryCause): void {
    reconciler
      .tellAll(cause)
      .catch((error) => log.warn({ err: error }, 'apps could not be told of a restart'))
  }
  const host: Host = {
    id: config.hostId,
    platform,
    engine,
    edge,
    ports,
    logs,
    logStore,
    locks: createLocks(),
    deploySlots: createSlots(concurrentDeployments),
    buildTurns: createBuildTurns({
      places: buildPlaces(buildLimits()),
      hasRoom: () => hasRoomFor(buildLimits()),
    }),
    gitSlots: createSlots(concurrentLooks),
    runSlots: createSlots(concurrentRuns),
    ending: new Set(),
    log,
  }
  const edgeCounter = createEdgeCounter(host)
  const stopping = new AbortController()
  const jobs = createJobRunner(host)
  const reconciler = createReconciler(host, jobs, stopping.signal)
  try {
    await patiently(platform, signal, async () => {
      const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
      const before = await registerHost(platform, {
        id: host.id,
        name: `${hostname()} (${host.id})`,
        facts: { version: berth.version, bootId, ...(await engine.info()) },
      })
      await reconciler.once()
      if (before !== null && before !== bootId) tellAll('host-rebooted')
    })
  } catch (error) {
    await logs.close()
    await logStore.close()
    await engine.close()
    throw error
  }
  const queue = serveQueue(host, jobs)
  const door = await openEngineDoor(host)
  const terminals = await openTerminals(host, terminalSocketName(edgeSettings(config).folder))
  const files = await serveFiles(host)
  const pushes = await servePushes(host)
  const reconciling = reconciler.run(stopping.signal)
  const deliveries = serveDeliveries(platform)
  const telling = followContainers(host, stopping.signal)
  const collecting = regularly(
    collectEveryMs,
    stopping.signal,
    () => jobs.run('collect-garbage', { hostId: host.id }),
    (error) => log.warn({ err: error }, 'garbage could not be collected; it is tried again'),
  )
  const collectingRegistry = regularly(
    collectRegistryEveryMs,
    stopping.signal,
    () => jobs.run('collect-registry', { hostId: host.id }),
    (error) => log.warn({ err: error }, "the registry's garbage could not be collected; it is tried again"),
  )
  const purging = regularly(
    purgeEveryMs,
    stopping.signal,
    () => purgeTeams(platform, { removeImages: (namespace) => removeNamespace(config.home, namespace) }),
    (error) => log.warn({ err: error }, 'deleted teams could not be removed; it is tried again'),
  )
  const comparing = regularly(
    compareRegistryEveryMs,
    stopping.signal,
    async () => {
      const mended = await reconcileRegistry(platform, stopping.signal)
      if (mended.length > 0) log.info({ repositories: mended }, 'pushes that nobody had told of were found')
      await followPushes(platform, { signal: stopping.signal })
    },
    (error) => log.warn({ err: error }, 'the registry could not be compared; it is tried again'),
    { atOnce: true },
  )
  const checkingDomains = regularly(
    checkDomainsEveryMs,
    stopping.signal,
    () => checkDueDomains(platform, stopping.signal),
    (error) => log.warn({ err: error }, 'domains could not be looked at; it is tried again'),
  )
  const ordering = regularly(
    orderCertificatesEveryMs,
    stopping.signal,
    () => orderCertificates(platform, stopping.signal),
    (error) => log.warn({ err: error }, 'certificates could not be asked for; it is tried again'),
  )
  const lookingElsewhere = regularly(
    lookElsewhereEveryMs,
    stopping.signal,
    () => followElsewhere(platform, { signal: stopping.signal }),
    (error) => log.warn({ err: error }, 'registries elsewhere could not be looked into; it is tried again'),
    { atOnce: true },
  )
  const expiring = regularly(
    expireEveryMs,
    stopping.signal,
    async () => {
      await expireAudit(platform)
      await sweepTimelines(platform)
      await sweepDeliveries(platform)
      await sweepBuilds(platform)
    },
    (error) => log.warn({ err: error }, 'old entries of logs could not be removed; it is tried again'),
  )
  const ticking = regularly(
    cronEveryMs,
    stopping.signal,
    () => takeDueCronJobs(platform, host.id),
    (error) => log.warn({ err: error }, 'cron jobs that are due could not be begun; it is tried again'),
  )
  const pruning = regularly(
    pruneLogsEveryMs,
    stopping.signal,
    async () => {
      const groups = await logLimits(platform, Object.keys(await logStore.usage()))
      const freed = await logStore.prune({ ...keptLogs, groups })
      await reportLogUse(platform, await logStore.usage())
      if (freed > 0) log.info(`${Math.ceil(freed / 2 ** 20)} MiB of logs were removed`)
    },
    (error) => log.warn({ err: error }, 'old logs could not be removed; it is tried again'),
    { atOnce: true },
  )
  const draining = runDrains({ platform, hostId: host.id, store: logStore }, stopping.signal)
  const lookingAtGit = regularly(
    lookAtGitEveryMs,
    stopping.signal,
    async () => {
      const due = await dueLooks(platform, host.id)
      await Promise.all(due.map((appId) => jobs.run('look-at-git', { appId })))
    },
    (error) => log.warn({ err: error }, 'repositories could not be looked at; it is tried again'),
    { atOnce: true },
  )
  const tellingForges = regularly(
    tellForgesEveryMs,
    stopping.signal,
    () => tellCommitStatuses(platform, host.id, stopping.signal),
    (error) => log.warn({ err: error }, 'forges could not be told of commits; it is tried again'),
  )
  const posting = regularly(
    postEveryMs,
    stopping.signal,
    async () => {
      await hurryLinkRequests(platform)
      await hurryDueMail(platform)
    },
    (error) => log.warn({ err: error }, 'letters that wait could not be looked for; it is tried again'),
  )
  const measuringVolumes = regularly(
    measureVolumesEveryMs,
    stopping.signal,
    () => measureVolumes(host),
    (error) => log.debug({ err: error }, 'what volumes hold could not be told; it is tried again'),
  )
  const sampling = regularly(
    sampleEveryMs,
    stopping.signal,
    createSampler(host),
    (error) => log.warn({ err: error }, 'what containers use could not be written down; it is tried again'),
    { atOnce: true },
  )
  const counting = regularly(
    countEveryMs,
    stopping.signal,
    () => edgeCounter.collect(),
    (error) => log.warn({ err: error }, 'what the edge notes could not be read; it is tried again'),
    { atOnce: true },
  )
  const samplingOpen = regularly(
    sampleEveryMs,
    stopping.signal,
    () => edgeCounter.sampleOpen(),
    (error) => log.debug({ err: error }, 'open requests could not be counted; it is tried again'),
  )
  const rollingUp = regularly(
    rollUpEveryMs,
    stopping.signal,
    createRollUps(host, edgeCounter),
    (error) => log.warn({ err: error }, 'metrics could not be rolled up; it is tried again'),
    { atOnce: true },
  )
  const judgingAlerts = regularly(
    judgeAlertsEveryMs,
    stopping.signal,
    () => evaluateAlerts(platform),
    (error) => log.warn({ err: error }, 'alerts could not be judged; it is tried again'),
  )
  await putBackHeld(registryFiles(config.home), stopping.signal).catch((error) =>
    log.warn({ err: error }, 'what a collection left aside could not be put back; the next one tries again'),
  )
  await writeReady(ready)
  log.info('the worker is ready')

  return {
    async stop(graceMs) {
      await rm(ready, { force: true })
      await limited(Promise.all([door.close(), terminals.close(), files.close(), pushes.close()]), 2_000)
      // No new jobs; those under way go on.
      await limited(queue.pause(true), 1_000)
      const jobsStopped = jobs.stop(graceMs)
      await jobsStopped
      stopping.abort(new WorkerStopping('the worker stops'))
      await limited(
        Promise.all([
          ...[sampling, rollingUp, judgingAlerts, counting, samplingOpen],
          ...[reconciling, reconciler.settled(), collecting, collectingRegistry, expiring, checkingDomains],
          ...[pruning, measuringVolumes, ordering, lookingAtGit, tellingForges],
          ...[purging, comparing, lookingElsewhere, posting, draining, telling, ticking],
        ]),
        5_000,
      )
      await limited(edgeCounter.close(), 2_000)
      await limited(logs.close(), 2_000)
      await limited(logStore.close(), 2_000)
      await limited(queue.close(true), 2_000)
      await limited(deliveries.stop(), 2_000)
      await limited(engine.close(), 5_000)
    },
  }
}

async function openEngine(platform: Platform): Promise<Engine> {
  const { config, log } = platform
  return createEngine({
    stateDir: join(config.home, 'engine'),
    registries: readRegistries(config),
    onlyListedLoopback: true,
    proxy: config.proxy,
    credentialsFor: async ({ registry, repository }) => {
      const own = ownRepository(config, `${registry}/${repository}`)
      return own === null ? undefined : { kind: 'bearer', token: await ownToken(platform, own, 'pull') }
    },
    allowedHostPorts: [config.port, ...(config.httpsPort === null ? [] : [config.httpsPort])],
    log: (level, message, { error, ...details } = {}) => log[level]({ ...details, err: error }, message),
  })
}

/** Until it succeeds: a database that starts later, or anew, is no reason to give up. Throws the signal's reason. */
async function patiently(platform: Platform, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (let waitMs = 200; ; waitMs = Math.min(waitMs * 2, 5_000)) {
    signal.throwIfAborted()
    try {
      await work()
      return
    } catch (error) {
      platform.log.warn(`not ready yet: ${messageOf(error)}`)
      await sleep(waitMs, undefined, { signal })
    }
  }
}

async function limited(work: Promise<unknown>, limitMs: number): Promise<void> {
  const waited = new AbortController()
  await Promise.race([
    work.catch(() => undefined),
    sleep(limitMs, undefined, { signal: waited.signal }).catch(() => undefined),
  ])
  waited.abort()
}

async function writeReady(path: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(`${path}.new`, JSON.stringify({ pid: process.pid, at: new Date().toISOString() }))
  await rename(`${path}.new`, path)
}
