import type { Transaction } from './database.ts'
import type { AppSettings } from './model/app-settings.ts'
import { deploymentSnapshotSchema } from './model/deployment-snapshot.ts'
import { type Scaling, scalingSchema, sizeSchema, withSize } from './model/scale.ts'

interface SizedDeployment {
  snapshot: unknown
  size: unknown
}

/** What a deployment runs with: its snapshot, and the size that it was given since. */
export function runningSettings(deployment: SizedDeployment): AppSettings {
  const { settings } = deploymentSnapshotSchema.parse(deployment.snapshot)
  return withSize(settings, sizeSchema.nullable().parse(deployment.size))
}

/** The change of size on its way for what is live; null: none. `value` is App.scaling. */
export function pendingScaling(value: unknown, liveDeploymentId: string | null): Scaling | null {
  const scaling = scalingSchema.nullable().parse(value)
  return scaling?.deploymentId === liveDeploymentId && scaling.problem === null ? scaling : null
}

/**
 * What a rollback to `old` runs: its settings with the limits under which it ran last, which proved to be right for it;
 * but as many replicas as serve now, since the traffic does not go back. docs/decisions/0005-scale-and-rollback.md
 */
export async function settingsToGoBackTo(
  tx: Pick<Transaction, 'deployment'>,
  app: { liveDeploymentId: string | null },
  old: SizedDeployment,
): Promise<AppSettings> {
  const settings = runningSettings(old)
  if (app.liveDeploymentId === null) return settings
  const live = await tx.deployment.findUniqueOrThrow({ where: { id: app.liveDeploymentId } })
  const now = runningSettings(live)
  const processes = Object.entries(settings.processes).map(([name, own]) => [
    name,
    { ...own, replicas: now.processes[name]?.replicas ?? own.replicas },
  ])
  return { ...settings, replicas: now.replicas, processes: Object.fromEntries(processes) }
}
