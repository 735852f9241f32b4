import { randomBytes } from 'node:crypto'
import { planBuild } from '../builds/plan-build.ts'
import type { Commit } from '../model/builds.ts'
import type { GitRef } from '../model/git-source.ts'
import type { Deployment } from '../model/resources.ts'
import type { Platform } from '../open.ts'
import { queueDeployment } from '../queue-deployment.ts'
import type { PushPlace } from './push-place.ts'

/** Name of the archive of what was pushed, before it is there. */
export function newPushedFile(): string {
  return `${Date.now()}-${randomBytes(12).toString('hex')}.tar`
}

/** Records a deployment of what was pushed to Berth, whose archive is there. Throws what createDeployment() throws. */
export async function queuePushed(
  platform: Platform,
  { viewer, app }: PushPlace,
  {
    ref,
    commit,
    sourceFile,
    sourceBytes,
  }: { ref: GitRef; commit: Commit; sourceFile: string; sourceBytes: number },
): Promise<Deployment> {
  const { appId, teamId } = app
  return queueDeployment(platform, viewer, app, (tx, id) =>
    planBuild(platform, tx, id, {
      ...{ appId, teamId, trigger: 'push' },
      build: { source: { kind: 'push', ref, commit }, format: 'tar', sourceFile, sourceBytes },
    }),
  )
}
