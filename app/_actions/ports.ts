'use server'

import type { ChangePortInput, Port, PublishPortInput } from '@/platform/model/ports.ts'
import { changePort, publishPort, removePort } from '@/platform/ports/ports.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function publishPortAction(appId: string, input: PublishPortInput): Promise<ActionResult<Port>> {
  return run((platform, viewer) => publishPort(platform, viewer, asId(appId), input))
}

export async function changePortAction(
  appId: string,
  name: string,
  input: ChangePortInput,
): Promise<ActionResult<Port>> {
  return run((platform, viewer) => changePort(platform, viewer, asId(appId), asId(name), input))
}

export async function removePortAction(appId: string, name: string): Promise<ActionResult<void>> {
  return run((platform, viewer) => removePort(platform, viewer, asId(appId), asId(name)))
}
