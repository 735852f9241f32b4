'use server'

import { removeCertificate, setCertificate, tryCertificateNow } from '@/platform/domains/certificate.ts'
import { changeDomain } from '@/platform/domains/change.ts'
import { addDomain, checkDomainNow, removeDomain } from '@/platform/domains/domains.ts'
import { removeRecordsBy, setRecordsBy } from '@/platform/domains/records.ts'
import type { CertificateInput } from '@/platform/model/certificates.ts'
import type { AddDomainInput, ChangeDomainInput, Domain } from '@/platform/model/domains.ts'
import type { RecordSetterInput } from '@/platform/model/record-setter.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function addDomainAction(appId: string, input: AddDomainInput): Promise<ActionResult<Domain>> {
  return run((platform, viewer) => addDomain(platform, viewer, asId(appId), input))
}

export async function checkDomainAction(id: string): Promise<ActionResult<Domain>> {
  return run((platform, viewer) => checkDomainNow(platform, viewer, asId(id)))
}

export async function changeDomainAction(
  id: string,
  input: ChangeDomainInput,
): Promise<ActionResult<Domain>> {
  return run((platform, viewer) => changeDomain(platform, viewer, asId(id), input))
}

export async function setCertificateAction(
  id: string,
  input: CertificateInput,
): Promise<ActionResult<Domain>> {
  return run((platform, viewer) => setCertificate(platform, viewer, asId(id), input))
}

export async function tryCertificateAction(id: string): Promise<ActionResult<Domain>> {
  return run((platform, viewer) => tryCertificateNow(platform, viewer, asId(id)))
}

export async function removeCertificateAction(id: string): Promise<ActionResult<void>> {
  return run((platform, viewer) => removeCertificate(platform, viewer, asId(id)))
}

export async function setRecordsByAction(
  id: string,
  input: RecordSetterInput,
): Promise<ActionResult<Domain>> {
  return run((platform, viewer) => setRecordsBy(platform, viewer, asId(id), input))
}

export async function removeRecordsByAction(id: string): Promise<ActionResult<void>> {
  return run((platform, viewer) => removeRecordsBy(platform, viewer, asId(id)))
}

export async function removeDomainAction(id: string): Promise<ActionResult<void>> {
  return run((platform, viewer) => removeDomain(platform, viewer, asId(id)))
}
