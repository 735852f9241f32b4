'use server'

import type { UpdateRepositoryInput } from '@/platform/model/inputs.ts'
import type { RetentionPlan } from '@/platform/model/repositories.ts'
import type { RetentionInput } from '@/platform/model/retention.ts'
import { deleteImage, deleteRepository, deleteTag } from '@/platform/registry/remove.ts'
import { previewRetention, setTeamRetention } from '@/platform/registry/retention.ts'
import { updateRepository } from '@/platform/repositories.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function updateRepositoryAction(
  id: string,
  input: UpdateRepositoryInput,
): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await updateRepository(platform, viewer, asId(id), input)
    return null
  })
}

/** What of a repository is to go, and whether also where a deployment needs it. */
export interface RemoveInput {
  tag?: string
  digest?: string
  force: boolean
}

export async function removeFromRepositoryAction(id: string, input: RemoveInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    const { tag, digest, force } = input
    const options = { force: force === true }
    if (tag !== undefined) await deleteTag(platform, viewer, asId(id), String(tag), options)
    else if (digest !== undefined) await deleteImage(platform, viewer, asId(id), String(digest), options)
    else await deleteRepository(platform, viewer, asId(id), options)
    return null
  })
}

export async function setTeamRetentionAction(
  teamId: string,
  input: RetentionInput | null,
): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await setTeamRetention(platform, viewer, asId(teamId), input)
    return null
  })
}

/** Changes nothing: it answers what would go. */
export async function previewRetentionAction(
  id: string,
  input: RetentionInput,
): Promise<ActionResult<RetentionPlan>> {
  return run((platform, viewer) => previewRetention(platform, viewer, asId(id), input))
}
