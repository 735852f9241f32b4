'use server'

import type { CreateChannelInput, UpdateChannelInput } from '@/platform/model/notifications.ts'
import {
  createChannel,
  deleteChannel,
  rotateSecret,
  testChannel,
  updateChannel,
} from '@/platform/notifications/channels.ts'
import { redeliver } from '@/platform/notifications/deliveries.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function createChannelAction(
  teamId: string,
  input: CreateChannelInput,
): Promise<ActionResult<{ secret: string | null }>> {
  return run(async (platform, viewer) => {
    const { secret } = await createChannel(platform, viewer, asId(teamId), input)
    return { secret }
  })
}

export async function updateChannelAction(id: string, input: UpdateChannelInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await updateChannel(platform, viewer, asId(id), input)
    return null
  })
}

export async function enableChannelAction(id: string, isEnabled: boolean): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await updateChannel(platform, viewer, asId(id), { isEnabled })
    return null
  })
}

export async function deleteChannelAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await deleteChannel(platform, viewer, asId(id))
    return null
  })
}

export async function testChannelAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await testChannel(platform, viewer, asId(id))
    return null
  })
}

export async function rotateSecretAction(id: string): Promise<ActionResult<{ secret: string }>> {
  return run((platform, viewer) => rotateSecret(platform, viewer, asId(id)))
}

export async function redeliverAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await redeliver(platform, viewer, asId(id))
    return null
  })
}
