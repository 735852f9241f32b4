import { GitFailure } from '../../engine/index.ts'
import { AddressProblem } from '../../platform/git/address.ts'
import { finishLook, missLook, takeLook } from '../../platform/git/looks.ts'
import { openRemote } from '../../platform/git/remote.ts'
import { refOf } from '../../platform/git/source.ts'
import { idRangeOf } from '../../platform/teams.ts'
import { keepHostKeys } from '../../platform/worker/git.ts'
import { buildIdRange, gitLimits } from '../builds/limits.ts'
import { messageOf } from '../failure.ts'
import type { Host } from '../host.ts'

/** Looks at an app's repository if that is due, and deploys what is new there. */
export async function lookAtGit(
  host: Host,
  { appId }: { appId: string },
  signal: AbortSignal,
): Promise<void> {
  await host.gitSlots(() => look(host, appId, signal))
}

async function look(host: Host, appId: string, signal: AbortSignal): Promise<void> {
  const { platform, engine, log } = host
  signal.throwIfAborted()
  const due = await takeLook(platform, appId)
  if (due === null) return
  const { row, place } = due
  try {
    const remote = await openRemote(platform, row)
    const seen = await engine.git.look(
      {
        ...{ id: `look-${appId}`.toLowerCase(), remote, ref: refOf(row), limits: gitLimits() },
        idRange: buildIdRange(await idRangeOf(platform, place.teamId)),
        since: row.watchPaths.length > 0 ? row.headSha : null,
      },
      { signal },
    )
    if (seen.hostKeys.length > 0) await keepHostKeys(platform.db, appId, row.address, seen.hostKeys)
    const result = await finishLook(platform, due, seen)
    log.info({ app: appId, sha: seen.sha, result }, 'a repository was looked at')
  } catch (error) {
    signal.throwIfAborted()
    const isKnown = error instanceof GitFailure || error instanceof AddressProblem
    if (!isKnown) log.warn({ err: error, app: appId }, 'a repository could not be looked at')
    await missLook(platform, row, isKnown ? messageOf(error) : 'Berth could not look at the repository.')
  }
}
