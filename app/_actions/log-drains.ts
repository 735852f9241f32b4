'use server'

import { createDrain, deleteDrain, testDrain, updateDrain } from '@/platform/log-drains/drains.ts'
import type { CreateDrainInput, UpdateDrainInput } from '@/platform/model/log-drains.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function createDrainAction(teamId: string, input: CreateDrainInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await createDrain(platform, viewer, asId(teamId), input)
    return null
  })
}

export async function updateDrainAction(id: string, input: UpdateDrainInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await updateDrain(platform, viewer, asId(id), input)
    return null
  })
}

/** Null: the receiver took the line. */
export async function testDrainAction(id: string): Promise<ActionResult<{ problem: string | null }>> {
  return run((platform, viewer) => testDrain(platform, viewer, asId(id)))
}

export async function deleteDrainAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await deleteDrain(platform, viewer, asId(id))
    return null
  })
}
