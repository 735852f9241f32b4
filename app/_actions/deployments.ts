'use server'

import { cancelDeployment, createDeployment, rollbackTo } from '@/platform/deployments.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

interface Made {
  number: number
}

export async function deployAction(appId: string): Promise<ActionResult<Made>> {
  return run(async (platform, viewer) => {
    const { number } = await createDeployment(platform, viewer, asId(appId), { trigger: 'redeploy' })
    return { number }
  })
}

export async function rollbackAction(deploymentId: string): Promise<ActionResult<Made>> {
  return run(async (platform, viewer) => {
    const { number } = await rollbackTo(platform, viewer, asId(deploymentId))
    return { number }
  })
}

export async function cancelAction(deploymentId: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await cancelDeployment(platform, viewer, asId(deploymentId))
    return null
  })
}
