import { type StepRow, showStep } from '../deployment-view.ts'
import { publish, streams } from '../event-log.ts'
import { type StepName, stepNames } from '../model/deployment-step.ts'
import type { LayerProgress } from '../model/events.ts'
import { newId } from '../model/ids.ts'
import type { Platform } from '../open.ts'

/** Records that a step runs. A second start (after the worker was killed) begins it again. */
export async function startStep(platform: Platform, deploymentId: string, name: StepName): Promise<void> {
  const begun = { status: 'running', startedAt: new Date(), finishedAt: null, detail: null } as const
  const row = await platform.db.deploymentStep.upsert({
    where: { deploymentId_name: { deploymentId, name } },
    create: { id: newId('step'), deploymentId, name, position: stepNames.indexOf(name), ...begun },
    update: begun,
  })
  await publishStep(platform, deploymentId, row)
}

export interface StepOutcome {
  status: 'done' | 'failed' | 'canceled'
  /** One sentence for a person. */
  detail?: string
}

/** Records how a running step ended; one that ended already stays as it is. */
export async function finishStep(
  platform: Platform,
  deploymentId: string,
  name: StepName,
  outcome: StepOutcome,
): Promise<void> {
  const [row] = await platform.db.deploymentStep.updateManyAndReturn({
    where: { deploymentId, name, status: 'running' },
    data: { status: outcome.status, detail: outcome.detail ?? null, finishedAt: new Date() },
  })
  if (row !== undefined) await publishStep(platform, deploymentId, row)
}

async function publishStep(platform: Platform, deploymentId: string, row: StepRow): Promise<void> {
  const step = showStep(row)
  if (step !== null) await publish(platform, streams.deployment(deploymentId), { type: 'step', step })
}

/** How far the image's layers are. The caller sends it at most a few times a second. */
export async function publishLayers(
  platform: Platform,
  deploymentId: string,
  layers: LayerProgress[],
): Promise<void> {
  await publish(platform, streams.deployment(deploymentId), { type: 'layers', layers })
}

/** A sentence about what is going on, for the deployment's followers. */
export async function publishMessage(platform: Platform, deploymentId: string, text: string): Promise<void> {
  await publish(platform, streams.deployment(deploymentId), { type: 'message', text })
}
