'use server'

import type { ProofInput } from '@/platform/model/inputs.ts'
import { requireTwoFactorIn } from '@/platform/team-two-factor.ts'
import {
  beginTwoFactor,
  confirmTwoFactor,
  disableTwoFactor,
  renewRecoveryCodes,
} from '@/platform/two-factor.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

/** The only answer that ever carries the secret. */
export async function beginTwoFactorAction(
  input: ProofInput,
): Promise<ActionResult<{ secret: string; uri: string }>> {
  return run((platform, viewer) => beginTwoFactor(platform, viewer, input))
}

/** This and the next one alone carry recovery codes. */
export async function confirmTwoFactorAction(
  input: ProofInput,
): Promise<ActionResult<{ recoveryCodes: string[] }>> {
  return run((platform, viewer) => confirmTwoFactor(platform, viewer, input))
}

export async function renewRecoveryCodesAction(
  input: ProofInput,
): Promise<ActionResult<{ recoveryCodes: string[] }>> {
  return run((platform, viewer) => renewRecoveryCodes(platform, viewer, input))
}

export async function disableTwoFactorAction(input: ProofInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await disableTwoFactor(platform, viewer, input)
    return null
  })
}

export async function requireTwoFactorAction(teamId: string, isRequired: boolean): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await requireTwoFactorIn(platform, viewer, asId(teamId), isRequired === true)
    return null
  })
}
