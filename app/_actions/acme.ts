'use server'

import { changeAcme, removeAcme } from '@/platform/certificates/acme/settings.ts'
import type { AcmeSettingsInput, AcmeState } from '@/platform/model/acme-settings.ts'
import type { ActionResult } from './result.ts'
import { run } from './run.ts'

export async function changeAcmeAction(input: AcmeSettingsInput): Promise<ActionResult<AcmeState>> {
  return run((platform, viewer) => changeAcme(platform, viewer, input))
}

export async function removeAcmeAction(): Promise<ActionResult<void>> {
  return run((platform, viewer) => removeAcme(platform, viewer))
}
