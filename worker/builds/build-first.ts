import { constants, createReadStream, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { BuildFailure, isEngineError } from '../../engine/index.ts'
import { giveBuildPlaceBack, renewBuildPlace, takeBuildPlace } from '../../platform/build-places.ts'
import { uploadPath } from '../../platform/builds/uploads.ts'
import { buildCacheOf } from '../../platform/model/build-cache.ts'
import type { Commit } from '../../platform/model/builds.ts'
import { isInProgress } from '../../platform/model/deployment-status.ts'
import type { Failure } from '../../platform/model/failure.ts'
import { buildPassword } from '../../platform/registry/build-password.ts'
import { ownRepository } from '../../platform/registry/own-name.ts'
import { finishBuild, recordBuilt, startBuild, tellBuildWaits } from '../../platform/worker/builds.ts'
import { setDeploymentStatus } from '../../platform/worker/deployment-status.ts'
import { type DeploymentWork, isCancelAsked, loadDeployment } from '../../platform/worker/deployments.ts'
import { finishStep, startStep } from '../../platform/worker/steps.ts'
import { CalledOff, DeployFailure, internalFailure, WorkerStopping } from '../failure.ts'
import type { Host } from '../host.ts'
import type { JobRun } from '../run-job.ts'
import { type BuildLog, createBuildLog } from './build-log.ts'
import { buildFailure } from './failure.ts'
import { fetchSource } from './fetch-source.ts'
import { generateFor } from './generate.ts'
import { buildIdRange, buildLimits } from './limits.ts'
import { registriesOf } from './registries.ts'

/** Whoever may write to the folder of uploads can't have the worker read another file. */
const noLinks = constants.O_RDONLY | constants.O_NOFOLLOW
const maxAttempts = 4
const cancelLookMs = 300
const renewMs = 20_000
const spareMs = 10 * 60_000
/** The same source makes the same image: of what no commit tells the time. Not 1970: zip knows no time before 1980. */
const timestamp = new Date('1980-01-02T00:00:00Z')

/**
 * Makes the deployment's image of its source, if it has one that was not made yet: waits for its turn, builds, and
 * records the digest. False: the deployment is over. A build that a killed worker left begins anew.
 */
export async function buildFirst(host: Host, asked: DeploymentWork, run: JobRun): Promise<boolean> {
  if (asked.build === null || asked.build.isBuilt) return true
  const { platform, log } = host
  const { id, number } = asked.deployment
  const over = new AbortController()
  const signal = AbortSignal.any([run.stopping, over.signal])
  const watching = abortWhenCalledOff(host, id, over)
  const limits = buildLimits()
  const lines = createBuildLog(
    platform,
    id,
    secretsOf(asked).map(([, value]) => value),
  )
  try {
    const turn = {
      ...{ id, teamId: asked.team.id, signal },
      takePlace: () => takeBuildPlace(platform, asked.team.id, id),
      onWait: (waiting: Parameters<typeof tellBuildWaits>[2]) => {
        tellBuildWaits(platform, id, waiting).catch((error) =>
          log.warn({ err: error }, 'nobody could be told why a build waits'),
        )
      },
    }
    await host.buildTurns.run(turn, () => build(host, asked, lines, signal))
    await lines.close()
    await finishBuild(platform, id)
    return true
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error
    await lines.close()
    if (reason instanceof WorkerStopping) throw reason
    const isKnown = reason instanceof BuildFailure || reason instanceof DeployFailure || isEngineError(reason)
    if (!(reason instanceof CalledOff) && !isKnown && run.countAttempt() < maxAttempts) throw reason
    const ending = reason instanceof BuildFailure ? failureOf(reason) : reason
    log.warn({ deployment: id, err: ending }, `the build of deployment ${number} of ${asked.app.name} ended`)
    await giveUp(host, asked, lines, ending)
    await finishBuild(platform, id)
    return false
  } finally {
    over.abort(new CalledOff())
    await watching
    await giveBuildPlaceBack(platform, id)
  }

  function failureOf(reason: BuildFailure): DeployFailure {
    const dockerfile = asked.settings.build?.dockerfile ?? null
    return buildFailure(reason, { limits, dockerfile, masked: lines.masked })
  }
}

async function build(host: Host, asked: DeploymentWork, lines: BuildLog, signal: AbortSignal): Promise<void> {
  const { platform } = host
  const { id } = asked.deployment
  // It may have waited for long: canceled, superseded, or built by another worker.
  const work = await loadDeployment(platform, id)
  if (work === null || !isInProgress(work.deployment.status)) throw new CalledOff()
  if (work.build === null || work.build.isBuilt) return
  if (work.deployment.status === 'building')
    lines.say('info', 'The worker was interrupted: the build begins anew.')
  else if (!(await setDeploymentStatus(platform, id, 'building'))) throw new CalledOff()
  await startBuild(platform, id)
  await startStep(platform, id, 'build')
  const renewing = setInterval(() => renewBuildPlace(platform, id).catch(() => undefined), renewMs)
  try {
    const { source } = work.build
    const commit =
      source.kind === 'git'
        ? await fetchSource(host, work, source, lines, signal)
        : source.kind === 'push'
          ? source.commit
          : null
    const built = await host.engine.builder.build(
      {
        ...specOf(host, work, commit),
        ...(await registriesOf(platform, work.team.id)),
        generate: generateFor(platform, id, lines),
      },
      {
        onLine: ({ stream, text }) => lines.say(stream, text),
        onPhase: (phase) => lines.say('info', phaseWords[phase]),
        signal,
      },
    )
    await recordBuilt(platform, id, built)
    lines.say('info', `The image is ${work.deployment.imageRef}, ${built.digest}.`)
    await finishStep(platform, id, 'build', { status: 'done' })
  } finally {
    clearInterval(renewing)
  }
}

const phaseWords = {
  unpacking: 'Unpacking the source',
  building: 'Building the image',
  pushing: "Pushing the image to the team's repository",
}

function specOf({ platform }: Host, work: DeploymentWork, commit: Commit | null) {
  const { config } = platform
  const { deployment, team, app, settings, build } = work
  const { folder, dockerfile, target, args } = settings.build ?? {}
  const repository = ownRepository(config, deployment.imageRef) ?? ''
  const limits = buildLimits()
  const rights = { deploymentId: deployment.id, teamId: team.id, repository }
  const cache = buildCacheOf(repository, app.id)
  const signedIn = (to: { cache: string | null }) => ({
    username: 'build',
    password: buildPassword(platform, { ...rights, ...to }, limits.timeMs + spareMs),
  })
  const path = uploadPath(config, build?.sourceFile ?? '')
  return {
    id: deployment.id,
    source: {
      open: () => createReadStream('', { fd: openSync(path, noLinks) }),
      format: build?.format ?? 'tar',
    },
    folder: folder ?? undefined,
    dockerfile: dockerfile ?? undefined,
    target: target ?? undefined,
    args,
    secrets: Object.fromEntries(secretsOf(work)),
    timestamp: commit === null ? timestamp : new Date(commit.at),
    push: {
      reference: deployment.imageRef,
      credentials: signedIn({ cache: null }),
      // It goes no further than to this host, where it may find no certificate that it trusts.
      insecure: true,
    },
    cache: app.id,
    sharedCache: {
      repository: `${config.registryHost}/${cache}`,
      credentials: signedIn({ cache }),
    },
    idRange: buildIdRange(team.idRange),
    limits,
  }
}

/** Of the app's variables those that its builds are given. */
function secretsOf({ settings, variables, files }: DeploymentWork): [string, string][] {
  void files
  return (settings.build?.secrets ?? []).flatMap((name): [string, string][] => {
    const value = variables[name]
    return value === undefined ? [] : [[name, value]]
  })
}

async function giveUp(host: Host, work: DeploymentWork, lines: BuildLog, reason: unknown): Promise<void> {
  const { platform } = host
  const { id } = work.deployment
  if (reason instanceof CalledOff) {
    await finishStep(platform, id, 'build', { status: 'canceled' })
    await setDeploymentStatus(platform, id, 'canceled')
    return
  }
  const known = reason instanceof DeployFailure ? reason : internalFailure(reason)
  const failure: Failure = {
    ...{ step: 'build', code: known.code, message: known.message, facts: known.facts },
    ...known.end,
    lastLogLines: lines.last(),
  }
  await finishStep(platform, id, 'build', { status: 'failed', detail: known.message })
  await setDeploymentStatus(platform, id, 'failed', { failure })
}

async function abortWhenCalledOff(host: Host, id: string, over: AbortController): Promise<void> {
  while (!over.signal.aborted) {
    if (await isOver(host, id)) over.abort(new CalledOff())
    await sleep(cancelLookMs, undefined, { signal: over.signal }).catch(() => undefined)
  }
}

/** Also when a newer deployment took its place while it waited. */
async function isOver({ platform, log }: Host, id: string): Promise<boolean> {
  try {
    if (await isCancelAsked(platform, id)) return true
    const row = await platform.db.deployment.findUnique({ where: { id }, select: { status: true } })
    return row === null || !isInProgress(row.status)
  } catch (error) {
    log.warn({ err: error }, 'nobody can say whether a build was called off')
    return false
  }
}
