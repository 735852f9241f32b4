'use server'

import type { FollowPreview, FollowPreviewInput } from '@/platform/model/follow-preview.ts'
import type { CreateRegistryLoginInput, UpdateRegistryLoginInput } from '@/platform/model/registry-logins.ts'
import {
  createRegistryLogin,
  deleteRegistryLogin,
  testRegistryLogin,
  updateRegistryLogin,
} from '@/platform/registries/logins.ts'
import { previewFollow } from '@/platform/registries/preview.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function createRegistryLoginAction(
  teamId: string,
  input: CreateRegistryLoginInput,
): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await createRegistryLogin(platform, viewer, asId(teamId), input)
    return null
  })
}

export async function updateRegistryLoginAction(
  id: string,
  input: UpdateRegistryLoginInput,
): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await updateRegistryLogin(platform, viewer, asId(id), input)
    return null
  })
}

/** Null: the registry let Berth in. */
export async function testRegistryLoginAction(id: string): Promise<ActionResult<{ problem: string | null }>> {
  return run(async (platform, viewer) => {
    const { problem } = await testRegistryLogin(platform, viewer, asId(id))
    return { problem }
  })
}

export async function deleteRegistryLoginAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await deleteRegistryLogin(platform, viewer, asId(id))
    return null
  })
}

export async function previewFollowAction(
  projectId: string,
  input: FollowPreviewInput,
): Promise<ActionResult<FollowPreview>> {
  return run((platform, viewer) => previewFollow(platform, viewer, asId(projectId), input))
}
