import { z } from 'zod'
import type { Prisma } from './generated/prisma/client.ts'
import { keptDeployments } from './kept-deployments.ts'
import { type Build, buildSourceSchema, buildWaitSchema, uploadFormats } from './model/builds.ts'
import { deploymentSnapshotSchema } from './model/deployment-snapshot.ts'
import { isInProgress } from './model/deployment-status.ts'
import { type DeploymentStep, stepNames } from './model/deployment-step.ts'
import { factsSchema } from './model/facts.ts'
import { type Failure, failureSchema } from './model/failure.ts'
import type { Deployment } from './model/resources.ts'
import type { Platform } from './open.ts'

/** What is read of a deployment to show it. */
export const deploymentColumns = {
  createdBy: { select: { name: true } },
  build: {
    select: {
      source: true,
      format: true,
      sourceBytes: true,
      startedAt: true,
      finishedAt: true,
      hadCache: true,
      waiting: true,
      generatedFor: true,
      generatedDockerfile: true,
    },
  },
  steps: { orderBy: { position: 'asc' } },
} as const satisfies Prisma.DeploymentInclude

type DeploymentRow = Prisma.DeploymentGetPayload<{ include: typeof deploymentColumns }>

/** In their order. Nothing of their variables is shown. */
export async function showDeployments(platform: Platform, rows: DeploymentRow[]): Promise<Deployment[]> {
  const appIds = [...new Set(rows.map(({ appId }) => appId))]
  const apps = await platform.db.app.findMany({
    where: { id: { in: appIds } },
    select: { liveDeploymentId: true },
  })
  const live = new Set(apps.map(({ liveDeploymentId }) => liveDeploymentId))
  const kept = new Set((await keptDeployments(platform.db, { appIds })).map(({ id }) => id))
  return rows.map((row) => {
    const isGone = row.liveAt === null || row.imageDigest === null || live.has(row.id)
    return showDeployment(row, isGone ? null : kept.has(row.id) ? 'kept' : 'pull')
  })
}

/** One whose place among the others is known. */
export function showDeployment(row: DeploymentRow, rollback: Deployment['rollback']): Deployment {
  const { settings, followed } = deploymentSnapshotSchema.parse(row.snapshot)
  return {
    id: row.id,
    appId: row.appId,
    number: row.number,
    status: row.status,
    trigger: row.trigger,
    image: row.imageRef,
    imageDigest: row.imageDigest,
    createdBy: row.createdBy?.name ?? null,
    followed,
    settings,
    rollback,
    build: showBuild(row.build, row.status),
    failure: parseFailure(row.failure),
    steps: row.steps.flatMap((step) => showStep(step) ?? []),
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    liveAt: row.liveAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}

function showBuild(row: DeploymentRow['build'], status: DeploymentRow['status']): Build | null {
  if (row === null) return null
  const { success, data: waiting } = buildWaitSchema.safeParse(row.waiting)
  return {
    source: buildSourceSchema.parse(row.source),
    format: z.enum(uploadFormats).parse(row.format),
    sourceBytes: Number(row.sourceBytes),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
    hadCache: row.hadCache,
    // What was over before it began waits for nothing.
    waiting: success && row.startedAt === null && isInProgress(status) ? waiting : null,
    generated:
      row.generatedFor === null || row.generatedDockerfile === null
        ? null
        : { what: row.generatedFor, dockerfile: row.generatedDockerfile },
  }
}

export function parseFailure(value: Prisma.JsonValue): Failure | null {
  if (value === null) return null
  // A code that a later version wrote: its sentence still says what happened.
  const { success, data } = failureSchema.safeParse(value)
  return success ? data : failureSchema.parse({ ...Object(value), code: 'internal', facts: {} })
}

export interface StepRow {
  name: string
  status: DeploymentStep['status']
  startedAt: Date
  finishedAt: Date | null
  detail: string | null
  facts: unknown
}

/** Null for a step that this version doesn't know (written by a later one). */
export function showStep(row: StepRow): DeploymentStep | null {
  const name = stepNames.find((known) => known === row.name)
  if (name === undefined) return null
  return {
    name,
    status: row.status,
    startedAt: row.startedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
    detail: row.detail,
    facts: row.facts === null ? {} : factsSchema.parse(row.facts),
  }
}
