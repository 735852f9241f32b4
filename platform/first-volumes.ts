import type { Viewer } from './access.ts'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import { newId } from './model/ids.ts'
import type { CreateVolumeInput } from './model/volumes.ts'
import { requireFreePath } from './volume-mounts.ts'

interface Place {
  teamId: string
  projectId: string
  environmentId: string
  hostId: string
  appId: string
  appName: string
}

/**
 * Volumes of an app that is just being made, so that its first deployment has them; answers with their ids, for their
 * host to make room. That the team may have so much is asked before. Throws `invalid` at their fields.
 */
export async function addFirstVolumes(
  tx: Transaction,
  viewer: Viewer,
  { environmentId, ...place }: Place,
  volumes: readonly CreateVolumeInput[],
): Promise<string[]> {
  const { teamId, appId } = place
  const ids: string[] = []
  for (const [at, volume] of volumes.entries()) {
    const field = (path: string, message: string, cause?: unknown) =>
      new PlatformError('invalid', `volumes.${at}.${path}: ${message}`, {
        ...{ fields: [{ path: `volumes.${at}.${path}`, message }], cause },
      })
    if (volumes.findIndex(({ name }) => name === volume.name) < at) throw field('name', 'is taken')
    await requireFreePath(tx, { id: appId, environmentId }, volume.mountPath).catch((cause) => {
      const [wrong] = cause instanceof PlatformError ? cause.fields : []
      throw wrong === undefined ? cause : field(wrong.path, wrong.message, cause)
    })
    const id = newId('volume')
    await tx.volume.create({ data: { id, ...place, ...volume } })
    const target = { type: 'volume', id, name: volume.name }
    await record(tx, viewer, {
      teamId,
      action: 'volume.create',
      target,
      detail: { appId },
      after: { ...volume },
    })
    ids.push(id)
  }
  return ids
}
