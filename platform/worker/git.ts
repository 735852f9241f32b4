import { type GitRemote, openRemote } from '../git/remote.ts'
import type { Commit } from '../model/builds.ts'
import type { GitRef } from '../model/git-source.ts'
import type { Platform } from '../open.ts'

/** How the app's repository is asked now; null: it has none any more. Throws AddressProblem. */
export async function remoteOf(platform: Platform, appId: string): Promise<GitRemote | null> {
  const row = await platform.db.gitSource.findUnique({ where: { appId } })
  return row === null ? null : openRemote(platform, row)
}

/** The source of a deployment is there: which commit it is goes with it, and with the app. */
export async function recordFetched(
  platform: Platform,
  deploymentId: string,
  {
    commit,
    sourceBytes,
    hostKeys,
    url,
    ref,
  }: { commit: Commit; sourceBytes: number; hostKeys: string[]; url: string; ref: GitRef },
): Promise<void> {
  await platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`
      UPDATE builds SET "sourceBytes" = ${sourceBytes},
        source = jsonb_set(source, '{commit}', ${JSON.stringify(commit)}::jsonb)
      WHERE "deploymentId" = ${deploymentId}`
    const { appId } = await tx.deployment.findUniqueOrThrow({
      where: { id: deploymentId },
      select: { appId: true },
    })
    await tx.gitSource.updateMany({ where: { appId, address: url }, data: { commit } })
    const isOwnRef = { refKind: ref.kind, refName: ref.name }
    await tx.gitSource.updateMany({
      where: { appId, address: url, ...isOwnRef },
      data: { headSha: commit.sha },
    })
    if (hostKeys.length > 0) await keepHostKeys(tx, appId, url, hostKeys)
  })
}

/** What a host showed is what it is known by from now on, unless somebody gave its keys meanwhile. */
export async function keepHostKeys(
  db: Pick<Platform['db'], 'gitSource'>,
  appId: string,
  address: string,
  hostKeys: string[],
): Promise<void> {
  await db.gitSource.updateMany({
    where: { appId, address, hostKeys: { isEmpty: true } },
    data: { hostKeys },
  })
}
