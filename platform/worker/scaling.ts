import { isDeepStrictEqual } from 'node:util'
import { publishApp } from '../app-events.ts'
import type { Transaction } from '../database.ts'
import { Prisma } from '../generated/prisma/client.ts'
import { appSettingsSchema } from '../model/app-settings.ts'
import { web } from '../model/processes.ts'
import {
  resized,
  type ScaleProblem,
  type Scaling,
  type Size,
  sizeFields,
  sizeOf,
  sizeOfProcess,
  withSize,
} from '../model/scale.ts'
import type { Platform } from '../open.ts'
import { pendingScaling } from '../running-settings.ts'
import { announce, tellOfApp } from '../timeline.ts'

/** The change of size that an app waits for; null: none. */
export async function pendingScalingOf(platform: Platform, appId: string): Promise<Scaling | null> {
  const app = await platform.db.app.findUnique({
    where: { id: appId },
    select: { scaling: true, liveDeploymentId: true },
  })
  return app === null ? null : pendingScaling(app.scaling, app.liveDeploymentId)
}

/** It is true now: the timeline says so. Nothing when something else was asked for meanwhile. */
export async function finishScaling(platform: Platform, appId: string, scaling: Scaling): Promise<void> {
  await end(platform, appId, scaling, async (tx) => {
    await tx.app.update({ where: { id: appId }, data: { scaling: Prisma.DbNull } })
    const { from, to, by } = scaling
    if (isDeepStrictEqual(from, to)) return []
    return tellOfApp(tx, {
      appId,
      by,
      key: `scaled:${scaling.id}`,
      event: { kind: 'scaling.changed', from, to },
    })
  })
}

/** It could not be made true and was put back; so are the app's settings, where nobody changed them since. */
export async function refuseScaling(
  platform: Platform,
  appId: string,
  scaling: Scaling,
  problem: ScaleProblem,
): Promise<void> {
  const { deploymentId, from, to, by } = scaling
  await end(platform, appId, scaling, async (tx) => {
    await tx.deployment.update({ where: { id: deploymentId }, data: { size: from } })
    const app = await tx.app.findUniqueOrThrow({ where: { id: appId } })
    const settings = appSettingsSchema.parse(app.settings)
    const size = putBack(sizeOf(settings), from, to)
    await tx.app.update({
      where: { id: appId },
      data: { settings: withSize(settings, size), scaling: { ...scaling, problem } },
    })
    const event = { kind: 'scaling.refused', from, to, reason: problem.message } as const
    return tellOfApp(tx, { appId, by, key: `scaled:${scaling.id}`, event })
  })
}

/** What is still as the refused change wanted it goes back to what it was. */
function putBack(size: Size, from: Size, to: Size): Size {
  let result = size
  for (const name of [web, ...Object.keys(size.processes)]) {
    const [now, was, wanted] = [size, from, to].map((each) => sizeOfProcess(each, name))
    if (now == null || was == null || wanted == null) continue
    for (const field of sizeFields)
      if (now[field] === wanted[field]) result = resized(result, name, { [field]: was[field] })
  }
  return result
}

async function end(
  platform: Platform,
  appId: string,
  scaling: Scaling,
  work: (tx: Transaction) => ReturnType<typeof tellOfApp>,
): Promise<void> {
  const told = await platform.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM apps WHERE id = ${appId} FOR UPDATE`
    const app = await tx.app.findUnique({
      where: { id: appId },
      select: { scaling: true, liveDeploymentId: true },
    })
    if (app === null || pendingScaling(app.scaling, app.liveDeploymentId)?.id !== scaling.id) return null
    return work(tx)
  })
  if (told === null) return
  await announce(platform, told)
  await publishApp(platform, appId)
}
