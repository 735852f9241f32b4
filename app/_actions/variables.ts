'use server'

import type { SetVariablesInput } from '@/platform/model/inputs.ts'
import type { Variable } from '@/platform/model/resources.ts'
import type { VariableOwner } from '@/platform/variable-owner.ts'
import { restoreVariables } from '@/platform/variable-versions.ts'
import { exportVariables, listVariables, setVariables } from '@/platform/variables.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function setVariablesAction(
  owner: VariableOwner,
  input: SetVariablesInput,
): Promise<ActionResult<Variable[]>> {
  return run((platform, viewer) => setVariables(platform, viewer, asOwner(owner), input))
}

export async function restoreVariablesAction(
  owner: VariableOwner,
  number: number,
): Promise<ActionResult<Variable[]>> {
  return run(async (platform, viewer) => {
    await restoreVariables(platform, viewer, asOwner(owner), Math.trunc(Number(number)))
    return listVariables(platform, viewer, asOwner(owner))
  })
}

export async function exportVariablesAction(owner: VariableOwner): Promise<ActionResult<string>> {
  return run((platform, viewer) => exportVariables(platform, viewer, asOwner(owner)))
}

/** What a browser sends may be anything. */
function asOwner(owner: VariableOwner): VariableOwner {
  return 'appId' in owner ? { appId: asId(owner.appId) } : { environmentId: asId(owner.environmentId) }
}
