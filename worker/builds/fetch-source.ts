/** Gets a build's source out of its Git repository, into the archive that the build is made of. */
import { stat } from 'node:fs/promises'
import { GitFailure } from '../../engine/index.ts'
import { uploadPath } from '../../platform/builds/uploads.ts'
import { AddressProblem } from '../../platform/git/address.ts'
import type { BuildSource, Commit } from '../../platform/model/builds.ts'
import type { DeploymentWork } from '../../platform/worker/deployments.ts'
import { recordFetched, remoteOf } from '../../platform/worker/git.ts'
import { DeployFailure } from '../failure.ts'
import type { Host } from '../host.ts'
import { writeArchive } from './archive-file.ts'
import type { BuildLog } from './build-log.ts'
import { gitFailure } from './git-failure.ts'
import { buildIdRange, gitLimits } from './limits.ts'

type GitSource = Extract<BuildSource, { kind: 'git' }>

/** Answers with the commit; what was fetched before the worker was interrupted is not fetched again. */
export async function fetchSource(
  host: Host,
  work: DeploymentWork,
  source: GitSource,
  lines: BuildLog,
  signal: AbortSignal,
): Promise<Commit> {
  const { platform, engine } = host
  const path = uploadPath(platform.config, work.build?.sourceFile ?? '')
  if (source.commit !== null && (await stat(path).catch(() => null)) !== null) return source.commit
  const sha = source.commit?.sha ?? source.sha
  lines.say('info', `Fetching ${source.ref.kind} ${source.ref.name} of ${source.address}`)
  try {
    const remote = await remoteOf(platform, work.app.id)
    if (remote === null || remote.url !== source.address)
      throw new DeployFailure('git-failed', "The app's Git source is another by now: deploy it again.", {
        facts: { reason: 'the source is another by now' },
      })
    const spec = {
      ...{ id: work.deployment.id, remote, ref: source.ref, ...(sha === null ? {} : { sha }) },
      ...{ idRange: buildIdRange(work.team.idRange), limits: gitLimits() },
    }
    const onLine = (text: string) => lines.say('stderr', text)
    const { result, bytes } = await writeArchive(path, (sink) =>
      engine.git.fetch(spec, sink, { onLine, signal }),
    )
    const { commit: found, hostKeys } = result
    const commit = { ...found, at: found.at.toISOString() }
    const { address: url, ref } = source
    await recordFetched(platform, work.deployment.id, { commit, hostKeys, url, ref, sourceBytes: bytes })
    for (const key of hostKeys)
      lines.say('info', `The host showed ${key.split(' ')[0]}, which it is known by from now on.`)
    lines.say('info', `Commit ${commit.sha.slice(0, 12)} by ${commit.author}: ${commit.subject}`)
    return commit
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof GitFailure) throw gitFailure(error, source)
    if (error instanceof AddressProblem)
      throw new DeployFailure('git-unreachable', `The repository's host ${error.message}.`, {
        facts: { reason: error.message },
      })
    throw error
  }
}
