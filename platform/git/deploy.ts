import { randomBytes } from 'node:crypto'
import type { Viewer } from '../access.ts'
import { type AppPlace, appAccess } from '../app-access.ts'
import { planBuild } from '../builds/plan-build.ts'
import type { Transaction } from '../database.ts'
import { PlatformError } from '../errors.ts'
import { type DeployGitInput, deployGitSchema, type GitRef } from '../model/git-source.ts'
import type { Deployment } from '../model/resources.ts'
import type { Platform } from '../open.ts'
import { queueDeployment } from '../queue-deployment.ts'
import { validate } from '../validate.ts'
import { refOf } from './source.ts'

/**
 * Records a deployment of what the app's repository has at its ref, or at another: the host's worker fetches, builds and
 * deploys it. Throws `conflict` where the app has no Git source, and what createDeployment() throws.
 */
export async function deployFromGit(
  platform: Platform,
  viewer: Viewer,
  appId: string,
  input: DeployGitInput = {},
): Promise<Deployment> {
  const place = await appAccess(platform, viewer, appId, 'deployment.create')
  const { ref } = validate(deployGitSchema, input)
  return queueGit(platform, viewer, place, {
    trigger: viewer.kind === 'user' ? 'manual' : 'api',
    ...(ref === undefined ? {} : { ref }),
  })
}

/** @param sha the commit that is wanted of it; default its newest when it is fetched. */
export async function queueGit(
  platform: Platform,
  viewer: Viewer,
  place: AppPlace,
  {
    trigger,
    ref,
    sha = null,
    first,
  }: {
    trigger: Deployment['trigger']
    ref?: GitRef
    sha?: string | null
    /** Done together with it, or not at all. */
    first?: (tx: Transaction) => Promise<void>
  },
): Promise<Deployment> {
  const { appId, teamId } = place
  return queueDeployment(platform, viewer, place, async (tx, id) => {
    await first?.(tx)
    const source = await tx.gitSource.findUnique({ where: { appId } })
    if (source === null)
      throw new PlatformError('conflict', 'The app has no Git source: say first where its repository is.')
    const { address } = source
    return planBuild(platform, tx, id, {
      ...{ appId, teamId, trigger },
      build: {
        source: { kind: 'git', address, ref: ref ?? refOf(source), sha, commit: null },
        format: 'tar',
        sourceBytes: 0,
        sourceFile: `${Date.now()}-${randomBytes(12).toString('hex')}.tar`,
      },
    })
  })
}
