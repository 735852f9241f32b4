'use server'

import type { SetVariablesInput } from '@/platform/model/inputs.ts'
import type { Variable } from '@/platform/model/resources.ts'
import { setVariables } from '@/platform/variables.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function setVariablesAction(
  appId: string,
  input: SetVariablesInput,
): Promise<ActionResult<Variable[]>> {
  return run((platform, viewer) => setVariables(platform, viewer, asId(appId), input))
}
