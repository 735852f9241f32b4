import { type StepRow, showStep } from '../deployment-view.ts'
import { publish, streams } from '../event-log.ts'
import { Prisma } from '../generated/prisma/client.ts'
import { type StepName, stepNames } from '../model/deployment-step.ts'
import type { LayerProgress } from '../model/events.ts'
import type { Facts } from '../model/facts.ts'
import { newId } from '../model/ids.ts'
import type { Platform } from '../open.ts'

/** Records that a step runs. A second start (after the worker was killed) begins it again. */
export async function startStep(platform: Platform, deploymentId: string, name: StepName): Promise<void> {
  const nothing = { finishedAt: null, detail: null, facts: Prisma.DbNull }
  const begun = { status: 'running', startedAt: new Date(), ...nothing } as const
  const row = await platform.db.deploymentStep.upsert({
    where: { deploymentId_name: { deploymentId, name } },
    create: { id: newId('step'), deploymentId, name, position: stepNames.indexOf(name), ...begun },
    update: begun,
  })
  await publishStep(platform, deploymentId, row)
}

export interface StepOutcome {
  status: 'done' | 'failed' | 'canceled'
  /** One sentence for a person, in English. */
  detail?: string
  /** What it is made from. */
  facts?: Facts
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
    data: {
      status: outcome.status,
      detail: outcome.detail ?? null,
      facts: outcome.facts ?? Prisma.DbNull,
      finishedAt: new Date(),
    },
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
