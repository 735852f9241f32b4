/** Tells forges how it went with their commits, where the token that fetches them lets Berth. */
import type { Platform } from '../open.ts'
import { askOutside } from '../outgoing.ts'
import { OutgoingError } from '../outgoing-agent.ts'
import { unseal } from '../secrets.ts'
import { tokenContext } from './remote.ts'
import { type CommitState, type StatusRequest, statusRequest } from './status-requests.ts'

/** Older ones nobody waits for. */
const withinMs = 86_400_000
const atOnce = 20

interface Untold {
  id: string
  number: number
  appId: string
  appName: string
  address: string
  username: string
  forge: string | null
  sealedToken: string
  ca: string | null
  sha: string
  state: CommitState
}

/**
 * Tells of each deployment of a host whose state the forge does not know yet. What a forge refuses is not tried again;
 * one that does not answer is asked the next time.
 */
export async function tellCommitStatuses(
  platform: Platform,
  hostId: string,
  signal: AbortSignal,
): Promise<void> {
  for (const untold of await findUntold(platform, hostId)) {
    signal.throwIfAborted()
    const token = unseal(platform.keyring, untold.sealedToken, tokenContext(untold.appId))
    const request = statusRequest({
      ...{ address: untold.address, forge: untold.forge, username: untold.username, token },
      ...{ sha: untold.sha, state: untold.state, context: `berth/${untold.appName}` },
      description: words[untold.state],
      url: `${platform.config.publicUrl}/deployments/${untold.id}`,
    })
    const isOver = request === null || (await send(platform, request, untold.ca, signal))
    if (isOver)
      await platform.db.build.updateMany({
        where: { deploymentId: untold.id },
        data: { statusTold: untold.state },
      })
  }
}

const words: Record<CommitState, string> = {
  pending: 'Berth builds and deploys it',
  success: 'It is live',
  failure: 'It was not deployed',
}

async function findUntold(platform: Platform, hostId: string): Promise<Untold[]> {
  const since = new Date(Date.now() - withinMs)
  return platform.db.$queryRaw<Untold[]>`
    SELECT * FROM (
      SELECT d.id, d.number, d."appId", a.name AS "appName", g.address, g.username, g.forge, g."sealedToken", g.ca,
        b.source->'commit'->>'sha' AS sha, b."statusTold" AS told,
        CASE WHEN d."liveAt" IS NOT NULL THEN 'success'
             WHEN d.status IN ('failed', 'canceled', 'superseded') THEN 'failure' ELSE 'pending' END AS state
      FROM builds b JOIN deployments d ON d.id = b."deploymentId" JOIN apps a ON a.id = d."appId"
        JOIN git_sources g ON g."appId" = a.id AND g.address = b.source->>'address'
      WHERE a."hostId" = ${hostId} AND d."createdAt" > ${since} AND g."sealedToken" IS NOT NULL
        AND jsonb_typeof(b.source->'commit') = 'object'
    ) untold WHERE told IS DISTINCT FROM state ORDER BY id LIMIT ${atOnce}`
}

/** Whether there is nothing more to do about it. */
async function send(
  platform: Platform,
  { url, headers, body }: StatusRequest,
  ca: string | null,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { status } = await askOutside(platform.config, url, {
      ...{ method: 'POST', body, signal, ...(ca === null ? {} : { ca }) },
      headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
    })
    if (status >= 400)
      platform.log.info({ status, host: new URL(url).host }, 'a forge takes no status of a commit')
    return status < 500 && status !== 429
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error
    platform.log.info(
      { host: new URL(url).host },
      `a forge could not be told of a commit: it ${error.message}`,
    )
    return error.isRefused
  }
}
