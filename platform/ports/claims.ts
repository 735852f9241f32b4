/**
 * Who has a port of a host. An app has those that it is set to have and those that run with it, live or on the way: a
 * port is free for others when what had it last is gone.
 */
import type { Transaction } from '../database.ts'
import { inProgressStatuses } from '../deployment-cancel.ts'
import { PlatformError } from '../errors.ts'
import { hostPortOf, portInWords } from '../model/ports.ts'

/** One at a time on a host, until the transaction ends. Take it after the lock of an app. */
export async function lockPorts(tx: Transaction, hostId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext(${`berth-ports-${hostId}`}))`
}

export interface PortHolder {
  port: string
  appId: string
  appName: string
  teamId: string
}

/** Other apps of the host that have one of these ports. */
export async function portHolders(
  tx: Transaction,
  hostId: string,
  names: readonly string[],
): Promise<PortHolder[]> {
  if (names.length === 0) return []
  return tx.$queryRaw<PortHolder[]>`
    SELECT DISTINCT wanted.port, apps.id AS "appId", apps.name AS "appName", projects."teamId" AS "teamId"
    FROM apps
    JOIN projects ON projects.id = apps."projectId"
    LEFT JOIN deployments ON deployments."appId" = apps.id
      AND (deployments.id = apps."liveDeploymentId" OR deployments.status::text = ANY(${inProgressStatuses}))
    CROSS JOIN unnest(${[...names]}::text[]) AS wanted(port)
    WHERE apps."hostId" = ${hostId}
      AND (jsonb_exists(apps.settings->'ports', wanted.port)
        OR jsonb_exists(deployments.snapshot->'settings'->'ports', wanted.port))`
}

/** Throws `conflict` at `hostPort` where another app of the host has one of these. */
export async function requireFreePorts(
  tx: Transaction,
  { hostId, appId, teamId }: { hostId: string; appId: string; teamId: string },
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return
  await lockPorts(tx, hostId)
  const taken = (await portHolders(tx, hostId, names)).find((holder) => holder.appId !== appId)
  if (taken === undefined) return
  const whose = taken.teamId === teamId ? `the app ${taken.appName}` : 'an app of another team'
  throw portTaken(taken.port, `is taken by ${whose}`)
}

export function portTaken(name: string, how: string): PlatformError {
  const port = portInWords(hostPortOf(name))
  const message = `${how}: choose another one, or leave it empty`
  return new PlatformError('conflict', `Port ${port} of the host ${message}.`, {
    fields: [{ path: 'hostPort', message }],
  })
}
