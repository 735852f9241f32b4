import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { GitFailure, type IncomingPush, type PushSpec } from '../../engine/index.ts'
import { uploadPath } from '../../platform/builds/uploads.ts'
import { PlatformError } from '../../platform/errors.ts'
import { streams } from '../../platform/event-log.ts'
import type { PushPlace } from '../../platform/git/push-place.ts'
import { newPushedFile, queuePushed } from '../../platform/git/pushed.ts'
import { maxUploadBytes } from '../../platform/model/builds.ts'
import { type DeploymentStatus, isTerminal } from '../../platform/model/deployment-status.ts'
import { failureSchema } from '../../platform/model/failure.ts'
import { idRangeOf } from '../../platform/teams.ts'
import { writeArchive } from '../builds/archive-file.ts'
import { buildIdRange, pushLimits } from '../builds/limits.ts'
import { DeployFailure } from '../failure.ts'
import type { Host } from '../host.ts'

export async function advertisePush(
  host: Host,
  place: PushPlace,
  sink: Writable,
  signal: AbortSignal,
): Promise<void> {
  await host.engine.git.advertise(await specOf(host, place), sink, { signal })
}

/** Takes a push, builds and deploys it, and refuses it when that fails: its exit tells the truth. */
export async function receivePush(
  host: Host,
  place: PushPlace,
  exchange: { input: Readable; output: Writable },
  signal: AbortSignal,
): Promise<void> {
  const spec = await specOf(host, place)
  await host.engine.git.receive(spec, exchange, (push) => decide(host, place, push, signal), { signal })
}

async function specOf({ platform }: Host, { app }: PushPlace): Promise<PushSpec> {
  return {
    id: `${app.appId.replace(/[^a-z0-9]/g, '')}-${randomBytes(4).toString('hex')}`.slice(-50),
    repository: app.appId,
    maxPackBytes: maxUploadBytes,
    idRange: buildIdRange(await idRangeOf(platform, app.teamId)),
    limits: pushLimits(),
  }
}

async function decide(
  host: Host,
  place: PushPlace,
  push: IncomingPush,
  signal: AbortSignal,
): Promise<boolean> {
  const { platform, log } = host
  try {
    const [update, ...others] = push.updates
    const name = place.branches.find((branch) => update?.ref === `refs/heads/${branch}`)
    if (update === undefined || update.after === null || name === undefined || others.length > 0) {
      push.say(`Berth deploys ${place.branches.join(' or ')} of this app, one branch at a time.`)
      push.say(`Push what is checked out: git push <remote> HEAD:${place.branches[0]}`)
      return false
    }
    const found = await push.commit(update.after)
    const commit = { ...found, at: found.at.toISOString() }
    push.say(`Commit ${commit.sha.slice(0, 12)} by ${commit.author}: ${commit.subject}`)
    const sourceFile = newPushedFile()
    const path = uploadPath(platform.config, sourceFile)
    const { after } = update
    const { bytes: sourceBytes } = await writeArchive(path, (sink) => push.pack(after, sink))
    try {
      const source = { ref: { kind: 'branch' as const, name }, commit, sourceFile, sourceBytes }
      const { id, number } = await queuePushed(platform, place, source)
      push.say(`Deployment #${number} of ${place.app.name}`)
      return await follow(host, place, id, number, push, signal)
    } catch (error) {
      const isUsed = (await platform.db.build.count({ where: { sourceFile } })) > 0
      if (!isUsed) await rm(path, { force: true })
      throw error
    }
  } catch (error) {
    signal.throwIfAborted()
    const isKnown =
      error instanceof PlatformError || error instanceof GitFailure || error instanceof DeployFailure
    if (!isKnown) log.warn({ err: error, app: place.app.appId }, 'a push could not be deployed')
    push.say(isKnown ? error.message : 'Something went wrong on our side. Try again in a moment.')
    return false
  }
}

const words: Partial<Record<DeploymentStatus, string>> = {
  pulling: 'Getting the image',
  releasing: 'Running the release command',
  starting: 'Starting',
  checking: 'Waiting until it answers',
  routing: 'Sending traffic to it',
}
const lookMs = 250

/** Says what the build says and how the deployment goes on, to its end. Whether it is live then. */
async function follow(
  { platform }: Host,
  { url }: PushPlace,
  id: string,
  number: number,
  push: IncomingPush,
  signal: AbortSignal,
): Promise<boolean> {
  const stream = streams.build(id)
  let last: string | null = null
  let told: DeploymentStatus = 'queued'
  for (;;) {
    // First, so that nothing is missed that was said before it ended.
    const row = await platform.db.deployment.findUnique({
      where: { id },
      select: { status: true, failure: true },
    })
    for (;;) {
      const entries: [id: string, fields: string[]][] = await platform.redis.xrange(
        stream.name,
        last === null ? '-' : `(${last}`,
        '+',
        'COUNT',
        500,
      )
      for (const [entryId, fields] of entries) {
        last = entryId
        push.say(stream.parse(JSON.parse(fields[1] ?? 'null')).text)
      }
      if (entries.length < 500) break
    }
    if (row === null) return false
    if (row.status !== told) {
      told = row.status
      const word = words[told]
      if (word !== undefined) push.say(word)
    }
    if (row.status === 'live') {
      push.say(`Deployment #${number} is live${url === null ? '' : `: ${url}`}`)
      return true
    }
    if (isTerminal(row.status)) {
      const { data: failure } = failureSchema.safeParse(row.failure)
      if (failure !== undefined && failure.step !== 'build')
        for (const line of failure.lastLogLines) push.say(line)
      push.say(failure?.message ?? `Deployment #${number} was ${row.status}.`)
      push.say('What served before serves on, and the push is refused.')
      return false
    }
    await sleep(lookMs, undefined, { signal })
  }
}
