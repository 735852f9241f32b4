/** Gets a build's source out of its Git repository, into the archive that the build is made of. */
import { createWriteStream } from 'node:fs'
import { chown, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GitFailure } from '../../engine/index.ts'
import { uploadPath } from '../../platform/builds/uploads.ts'
import { AddressProblem } from '../../platform/git/address.ts'
import { type BuildSource, type Commit, maxUploadBytes } from '../../platform/model/builds.ts'
import type { DeploymentWork } from '../../platform/worker/deployments.ts'
import { recordFetched, remoteOf } from '../../platform/worker/git.ts'
import { DeployFailure } from '../failure.ts'
import type { Host } from '../host.ts'
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
    const sink = countingSink()
    const { partial, done } = await openPartial(path, sink)
    try {
      const { commit: found, hostKeys } = await engine.git.fetch(
        {
          ...{ id: work.deployment.id, remote, ref: source.ref, ...(sha === null ? {} : { sha }) },
          ...{ idRange: buildIdRange(work.team.idRange), limits: gitLimits() },
        },
        sink,
        { onLine: (text) => lines.say('stderr', text), signal },
      )
      await done
      await rename(partial, path)
      const commit = { ...found, at: found.at.toISOString() }
      await recordFetched(platform, work.deployment.id, {
        ...{ commit, hostKeys, url: source.address, ref: source.ref },
        sourceBytes: sink.bytes(),
      })
      for (const key of hostKeys)
        lines.say('info', `The host showed ${key.split(' ')[0]}, which it is known by from now on.`)
      lines.say('info', `Commit ${commit.sha.slice(0, 12)} by ${commit.author}: ${commit.subject}`)
      return commit
    } finally {
      sink.destroy()
      await done.catch(() => undefined)
      await rm(partial, { force: true })
    }
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

function countingSink(): Transform & { bytes(): number } {
  let bytes = 0
  const sink = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes <= maxUploadBytes) return done(null, chunk)
      const reason = `the files of the commit have more than ${maxUploadBytes / 2 ** 20} MiB`
      done(new DeployFailure('git-failed', reason, { facts: { reason } }))
    },
  })
  return Object.assign(sink, { bytes: () => bytes })
}

/** What is there by its name is whole. */
async function openPartial(path: string, from: Transform) {
  const folder = dirname(path)
  // Who takes in uploads may be another user.
  if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) {
    const { uid, gid } = await stat(dirname(folder))
    await chown(folder, uid, gid)
  }
  const partial = `${path}.partial`
  await rm(partial, { force: true })
  const done = pipeline(from, createWriteStream(partial, { mode: 0o600, flags: 'wx' })).then(async () => {
    const file = await open(partial, 'r')
    await file.sync().finally(() => file.close())
  })
  done.catch(() => undefined)
  return { partial, done }
}
