import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { linesInStream } from '../builds/build-log.ts'
import { dropUpload, sweepUploads } from '../builds/uploads.ts'
import { inProgressStatuses } from '../deployment-cancel.ts'
import { publish, streams } from '../event-log.ts'
import { Prisma } from '../generated/prisma/client.ts'
import { appSettingsSchema } from '../model/app-settings.ts'
import type { BuildLine, BuildWait } from '../model/builds.ts'
import type { Platform } from '../open.ts'

const pack = promisify(gzip)

/** Why it has not begun, for whoever waits for it; null when it does. */
export async function tellBuildWaits(
  platform: Platform,
  deploymentId: string,
  waiting: BuildWait | null,
): Promise<void> {
  await platform.db.build.updateMany({ where: { deploymentId }, data: { waiting: waiting ?? Prisma.DbNull } })
  await publish(platform, streams.deployment(deploymentId), { type: 'waiting', waiting })
}

export async function startBuild(platform: Platform, deploymentId: string): Promise<void> {
  await platform.db.build.updateMany({
    where: { deploymentId },
    data: { startedAt: new Date(), waiting: Prisma.DbNull },
  })
  await publish(platform, streams.deployment(deploymentId), { type: 'waiting', waiting: null })
}

/** The source had no Dockerfile, and this one was made for what it was taken for. */
export async function recordGenerated(
  platform: Platform,
  deploymentId: string,
  { what, dockerfile }: { what: string; dockerfile: string },
): Promise<void> {
  await platform.db.build.updateMany({
    where: { deploymentId },
    data: { generatedFor: what, generatedDockerfile: dockerfile },
  })
}

export async function appendBuildLines(
  platform: Platform,
  deploymentId: string,
  lines: BuildLine[],
): Promise<void> {
  await publish(platform, streams.build(deploymentId), ...lines)
}

/**
 * The image is in the registry: this very one is deployed, and what is deployed of the app from now on, unless something
 * newer is built.
 */
export async function recordBuilt(
  platform: Platform,
  deploymentId: string,
  { digest, hadCache }: { digest: string; hadCache: boolean },
): Promise<void> {
  await platform.db.$transaction(async (tx) => {
    const { appId, imageRef } = await tx.deployment.update({
      where: { id: deploymentId },
      data: { imageDigest: digest, build: { update: { hadCache } } },
      select: { appId: true, imageRef: true },
    })
    await tx.$executeRaw`SELECT 1 FROM apps WHERE id = ${appId} FOR UPDATE`
    const app = await tx.app.findUniqueOrThrow({ where: { id: appId }, select: { settings: true } })
    const settings = appSettingsSchema.parse(app.settings)
    if (settings.build !== null)
      await tx.app.update({ where: { id: appId }, data: { settings: { ...settings, image: imageRef } } })
  })
}

/** However it ended: its lines are kept with the deployment, and its source is not needed any more. */
export async function finishBuild(platform: Platform, deploymentId: string): Promise<void> {
  const build = await platform.db.build.findUnique({
    where: { deploymentId },
    select: { sourceFile: true, log: true },
  })
  if (build === null) return
  if (build.log === null) {
    const lines = await linesInStream(platform, deploymentId)
    const log = await pack(lines.map((line) => JSON.stringify(line)).join('\n'))
    await platform.db.build.updateMany({
      where: { deploymentId, log: null },
      data: { log: new Uint8Array(log), finishedAt: new Date() },
    })
  }
  await dropUpload(platform.config, build.sourceFile)
}

/** Builds that were over before they began, and archives that nothing was made of. */
export async function sweepBuilds(platform: Platform): Promise<void> {
  const left = await platform.db.build.findMany({
    where: { finishedAt: null, deployment: { status: { notIn: inProgressStatuses } } },
    select: { deploymentId: true },
    take: 500,
  })
  for (const { deploymentId } of left) await finishBuild(platform, deploymentId)
  const needed = await platform.db.build.findMany({
    where: { finishedAt: null },
    select: { sourceFile: true },
  })
  const files = new Set(needed.map(({ sourceFile }) => sourceFile))
  await sweepUploads(platform.config, (file) => files.has(file))
}
