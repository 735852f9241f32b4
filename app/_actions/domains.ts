'use server'

import { addDomain, checkDomainNow, removeDomain } from '@/platform/domains/domains.ts'
import type { AddDomainInput, Domain } from '@/platform/model/domains.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function addDomainAction(appId: string, input: AddDomainInput): Promise<ActionResult<Domain>> {
  return run((platform, viewer) => addDomain(platform, viewer, asId(appId), input))
}

export async function checkDomainAction(id: string): Promise<ActionResult<Domain>> {
  return run((platform, viewer) => checkDomainNow(platform, viewer, asId(id)))
}

export async function removeDomainAction(id: string): Promise<ActionResult<void>> {
  return run((platform, viewer) => removeDomain(platform, viewer, asId(id)))
}
