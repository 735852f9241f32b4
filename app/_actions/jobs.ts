'use server'

import { createCronJob, deleteCronJob, runCronJobNow, updateCronJob } from '@/platform/cron-jobs.ts'
import type {
  CreateCronJobInput,
  CreateRunInput,
  CronJob,
  Run,
  UpdateCronJobInput,
} from '@/platform/model/runs.ts'
import { cancelRun, createRun } from '@/platform/runs.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function createRunAction(appId: string, input: CreateRunInput): Promise<ActionResult<Run>> {
  return run((platform, viewer) => createRun(platform, viewer, asId(appId), input))
}

export async function cancelRunAction(id: string): Promise<ActionResult<Run>> {
  return run((platform, viewer) => cancelRun(platform, viewer, asId(id)))
}

export async function createCronJobAction(
  appId: string,
  input: CreateCronJobInput,
): Promise<ActionResult<CronJob>> {
  return run((platform, viewer) => createCronJob(platform, viewer, asId(appId), input))
}

export async function updateCronJobAction(
  id: string,
  input: UpdateCronJobInput,
): Promise<ActionResult<CronJob>> {
  return run((platform, viewer) => updateCronJob(platform, viewer, asId(id), input))
}

export async function deleteCronJobAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await deleteCronJob(platform, viewer, asId(id))
    return null
  })
}

export async function runCronJobAction(id: string): Promise<ActionResult<Run>> {
  return run((platform, viewer) => runCronJobNow(platform, viewer, asId(id)))
}
