'use server'

import { setAuditRetention } from '@/platform/audit-retention.ts'
import { cordonHost } from '@/platform/host-admin.ts'
import type { AuditRetentionInput, DeleteUserInput } from '@/platform/model/inputs.ts'
import { startRegistryCollection } from '@/platform/registry/collection.ts'
import { appointOwner } from '@/platform/team-admin.ts'
import { deleteAnyTeam } from '@/platform/team-deletion.ts'
import { resetTwoFactor } from '@/platform/two-factor.ts'
import {
  createResetLink,
  deleteUser,
  endUserSessions,
  reactivateUser,
  setAdministrator,
  suspendUser,
} from '@/platform/user-admin.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

// For administrators of the installation. Teams are restored, and limited, by teams.ts.

export async function suspendUserAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await suspendUser(platform, viewer, asId(id))
    return null
  })
}

export async function reactivateUserAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await reactivateUser(platform, viewer, asId(id))
    return null
  })
}

export async function setAdministratorAction(id: string, isAdmin: boolean): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await setAdministrator(platform, viewer, asId(id), isAdmin === true)
    return null
  })
}

/** The only answer that ever carries the link. */
export async function createResetLinkAction(
  id: string,
): Promise<ActionResult<{ url: string; expiresAt: string }>> {
  return run((platform, viewer) => createResetLink(platform, viewer, asId(id)))
}

export async function resetTwoFactorAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await resetTwoFactor(platform, viewer, asId(id))
    return null
  })
}

export async function endUserSessionsAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await endUserSessions(platform, viewer, asId(id))
    return null
  })
}

export async function deleteUserAction(id: string, input: DeleteUserInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await deleteUser(platform, viewer, asId(id), input)
    return null
  })
}

export async function appointOwnerAction(teamId: string, userId: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await appointOwner(platform, viewer, asId(teamId), { userId: asId(userId) })
    return null
  })
}

export async function deleteAnyTeamAction(teamId: string, confirm: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await deleteAnyTeam(platform, viewer, asId(teamId), { confirm })
    return null
  })
}

export async function cordonHostAction(id: string, isCordoned: boolean): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await cordonHost(platform, viewer, asId(id), isCordoned === true)
    return null
  })
}

export async function setAuditRetentionAction(input: AuditRetentionInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await setAuditRetention(platform, viewer, input)
    return null
  })
}

export async function collectRegistryAction(): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await startRegistryCollection(platform, viewer)
    return null
  })
}
