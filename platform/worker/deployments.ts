import { z } from 'zod'
import { openForDeployment } from '../effective-variables.ts'
import type { AppSettings } from '../model/app-settings.ts'
import { type BuildSource, buildSourceSchema, type UploadFormat, uploadFormats } from '../model/builds.ts'
import { deploymentSnapshotSchema } from '../model/deployment-snapshot.ts'
import type { DeploymentStatus } from '../model/deployment-status.ts'
import type { Platform } from '../open.ts'
import { runningSettings } from '../running-settings.ts'
import { type IdRange, idRangeOf } from '../teams.ts'

export interface RecordedContainer {
  id: string
  deploymentId: string
  process: string
  replica: number
  state: 'created' | 'running' | 'exited' | 'removed'
  address: string | null
  /** Null until it answered: it gets no traffic before. */
  port: number | null
  /** While containers are replaced: not yet, or not any more. */
  outOfTraffic: boolean
  restarts: number
}

export const recordedColumns = {
  id: true,
  deploymentId: true,
  process: true,
  replica: true,
  state: true,
  address: true,
  port: true,
  outOfTraffic: true,
  restarts: true,
} as const

/** Everything that carrying out a deployment needs. Its variables are in plain text: they go to containers only. */
export interface DeploymentWork {
  deployment: {
    id: string
    number: number
    status: DeploymentStatus
    isRollback: boolean
    isAutomatic: boolean
    /** As it was asked for. */
    imageRef: string
    /** Known already after a rollback or a first try: pull this, whatever the tag points to now. */
    imageDigest: string | null
    cancelAsked: boolean
    createdAt: Date
  }
  app: {
    id: string
    slug: string
    name: string
    desiredState: 'running' | 'stopped' | 'deleted'
    hostId: string
  }
  team: { id: string; slug: string; idRange: IdRange }
  projectId: string
  environmentId: string
  settings: AppSettings
  variables: Record<string, string>
  /** Variables that containers find in files. */
  files: { path: string; content: string }[]
  /** What `web` keeps. An app that has some has one container of it at a time: data that two write to is lost. */
  volumes: { id: string; mountPath: string; sizeBytes: number }[]
  /** This deployment's containers that were recorded by an earlier try, and not removed. */
  containers: RecordedContainer[]
  /** What its image is made of; null: it is there already. */
  build: { source: BuildSource; format: UploadFormat; sourceFile: string; isBuilt: boolean } | null
  /** What serves now; null when nothing has been live. */
  live: { deploymentId: string; settings: AppSettings; containers: RecordedContainer[] } | null
}

/** Null when the deployment is gone (its app was deleted). */
export async function loadDeployment(platform: Platform, id: string): Promise<DeploymentWork | null> {
  const row = await platform.db.deployment.findUnique({
    where: { id },
    include: {
      build: { select: { source: true, format: true, sourceFile: true } },
      app: {
        include: {
          project: { include: { team: { select: { id: true, slug: true } } } },
          containers: {
            where: { state: { not: 'removed' } },
            orderBy: { replica: 'asc' },
            select: recordedColumns,
          },
          liveDeployment: { select: { id: true, snapshot: true, size: true } },
          volumes: {
            orderBy: { id: 'asc' },
            select: { id: true, name: true, mountPath: true, sizeBytes: true, deletedAt: true },
          },
        },
      },
    },
  })
  if (row === null) return null
  const { app } = row
  const { team } = app.project
  const snapshot = deploymentSnapshotSchema.parse(row.snapshot)
  const variables = openForDeployment(platform, id, snapshot.variables)
  const containersOf = (deploymentId: string) =>
    app.containers.filter((container) => container.deploymentId === deploymentId)
  return {
    deployment: {
      id,
      number: row.number,
      status: row.status,
      isRollback: row.trigger === 'rollback' || row.trigger === 'auto_rollback',
      isAutomatic: row.trigger === 'auto_rollback',
      imageRef: row.imageRef,
      imageDigest: row.imageDigest,
      cancelAsked: row.cancelAskedAt !== null,
      createdAt: row.createdAt,
    },
    app: {
      id: app.id,
      slug: app.slug,
      name: app.name,
      desiredState: app.desiredState,
      hostId: app.hostId ?? platform.config.hostId,
    },
    team: { ...team, idRange: await idRangeOf(platform, team.id) },
    projectId: app.projectId,
    environmentId: app.environmentId,
    settings: runningSettings(row),
    variables: Object.fromEntries(
      variables.flatMap(({ name, value, filePath }) => (filePath === null ? [[name, value]] : [])),
    ),
    files: variables.flatMap(({ value, filePath }) =>
      filePath === null ? [] : [{ path: filePath, content: value }],
    ),
    // None that it mounts is removed while it is live, or may come to be.
    volumes: (snapshot.volumes ?? app.volumes.filter(({ deletedAt }) => deletedAt === null)).flatMap(
      ({ id: volumeId, mountPath }) => {
        const volume = app.volumes.find((each) => each.id === volumeId)
        return volume === undefined ? [] : [{ id: volumeId, mountPath, sizeBytes: Number(volume.sizeBytes) }]
      },
    ),
    containers: containersOf(id),
    build:
      row.build === null
        ? null
        : {
            source: buildSourceSchema.parse(row.build.source),
            format: z.enum(uploadFormats).parse(row.build.format),
            sourceFile: row.build.sourceFile,
            isBuilt: row.imageDigest !== null,
          },
    live:
      app.liveDeployment === null
        ? null
        : {
            deploymentId: app.liveDeployment.id,
            settings: runningSettings(app.liveDeployment),
            containers: containersOf(app.liveDeployment.id),
          },
  }
}

/** Whether somebody called it off (or it is over): looked at between steps and while waiting. */
export async function isCancelAsked(platform: Platform, id: string): Promise<boolean> {
  const row = await platform.db.deployment.findUnique({
    where: { id },
    select: { cancelAskedAt: true, status: true },
  })
  return row === null || row.cancelAskedAt !== null || row.status === 'canceled'
}
