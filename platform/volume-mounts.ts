/** Which volumes the deployments of an app mount, and where. */
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'
import type { DeploymentSnapshot } from './model/deployment-snapshot.ts'
import type { PendingChange } from './model/pending-changes.ts'

export type Mount = NonNullable<DeploymentSnapshot['volumes']>[number]

/** What the next deployment of an app mounts. */
export async function mountsOf(tx: Transaction, appId: string): Promise<Mount[]> {
  return tx.volume.findMany({
    where: { appId, deletedAt: null },
    orderBy: { id: 'asc' },
    select: { id: true, name: true, mountPath: true },
  })
}

/**
 * What a rollback mounts: what the deployment did. Throws `conflict` where one of those was deleted since: an app that
 * finds nothing where its data was may begin anew and write over what is kept elsewhere.
 */
export async function mountsToGoBackTo(
  tx: Transaction,
  appId: string,
  number: number,
  { volumes }: DeploymentSnapshot,
): Promise<Mount[]> {
  const now = await mountsOf(tx, appId)
  if (volumes === null) return now
  const gone = volumes.find(({ id }) => !now.some((each) => each.id === id))
  if (gone === undefined) return volumes
  throw new PlatformError(
    'conflict',
    `Deployment ${number} ran with the volume ${gone.name}, which is deleted. Undo that first, or deploy without it.`,
  )
}

/** Throws `invalid`. */
export async function requireNoVolumes(tx: Transaction, appId: string): Promise<void> {
  const volume = await tx.volume.findFirst({ where: { appId, deletedAt: null }, select: { name: true } })
  if (volume === null) return
  const message = `must be 1, since only one container may hold the volume ${volume.name}`
  throw new PlatformError('invalid', `settings.replicas: ${message}`, {
    fields: [{ path: 'settings.replicas', message }],
  })
}

interface VolumeRow {
  id: string
  name: string
  mountPath: string
  createdAt: Date
  deletedAt: Date | null
}

/** In which volumes the next deployment differs from the live one. */
export function volumeChanges(
  volumes: VolumeRow[],
  liveSince: Date,
  snapshot: DeploymentSnapshot,
): PendingChange[] {
  const wanted = volumes.filter(({ deletedAt }) => deletedAt === null)
  const live = snapshot.volumes ?? volumes.filter(({ createdAt }) => createdAt <= liveSince)
  const names = [...new Set([...wanted, ...live].map(({ name }) => name))].sort()
  return names.flatMap((name): PendingChange[] => {
    const after = wanted.find((each) => each.name === name)
    const before = live.find((each) => each.name === name)
    if (after?.id === before?.id && after?.mountPath === before?.mountPath) return []
    const row = after ?? volumes.find(({ id }) => id === before?.id)
    const at = after === undefined ? row?.deletedAt : before === undefined ? row?.createdAt : null
    return [
      {
        field: `volumes.${name}`,
        change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
        ...{ source: 'app', isSecret: false, problem: null, by: null, canDiscard: false },
        ...{ before: before?.mountPath ?? null, after: after?.mountPath ?? null },
        at: at?.toISOString() ?? null,
      },
    ]
  })
}

/**
 * No volume is inside another one or above it, nor holds a file of a variable: who writes to it could lead that astray.
 * Throws `invalid` at `mountPath`.
 */
export async function requireFreePath(
  tx: Transaction,
  app: { id: string; environmentId: string },
  mountPath: string,
  except?: string,
): Promise<void> {
  const volumes = await tx.volume.findMany({
    where: { appId: app.id, deletedAt: null, ...(except === undefined ? {} : { id: { not: except } }) },
    select: { name: true, mountPath: true },
  })
  const other = volumes.find(
    (each) => isWithin(each.mountPath, mountPath) || isWithin(mountPath, each.mountPath),
  )
  if (other !== undefined)
    throw atField('mountPath', `is in the way of the volume ${other.name} at ${other.mountPath}`)
  const files = await tx.variable.findMany({
    where: { OR: [{ appId: app.id }, { environmentId: app.environmentId }], filePath: { not: null } },
    select: { name: true, filePath: true },
  })
  const file = files.find(({ filePath }) => filePath !== null && isWithin(filePath, mountPath))
  if (file !== undefined)
    throw atField('mountPath', `holds the file of the variable ${file.name}, ${file.filePath}`)
}

export function atField(path: string, message: string): PlatformError {
  return new PlatformError('invalid', `${path}: ${message}`, { fields: [{ path, message }] })
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}
