'use server'

import { setEdgeAccess } from '@/platform/edge-access.ts'
import type { SetEdgeAccessInput, ShownEdgeAccess } from '@/platform/model/edge-access.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function setEdgeAccessAction(
  appId: string,
  input: SetEdgeAccessInput,
): Promise<ActionResult<ShownEdgeAccess>> {
  return run((platform, viewer) => setEdgeAccess(platform, viewer, asId(appId), input))
}
