'use server'

import { cookies } from 'next/headers'
import { changePassword, revokeOtherSessions, revokeSession } from '@/platform/account.ts'
import { PlatformError } from '@/platform/errors.ts'
import type { ChangePasswordInput, ClaimInput, CreateTokenInput } from '@/platform/model/inputs.ts'
import { claimInstallation } from '@/platform/setup.ts'
import { createTeamToken, createToken, revokeToken, takeTokenOver } from '@/platform/tokens.ts'
import { setLocale } from '@/platform/users.ts'
import { isLocale, localeCookie } from '../_i18n/locales.ts'
import { getViewer } from '../_server/session.ts'
import type { ActionResult } from './result.ts'
import { answer, asId, run } from './run.ts'

export async function claimAction(input: ClaimInput): Promise<ActionResult> {
  return answer(async (platform) => {
    await claimInstallation(platform, input)
    return null
  })
}

export async function changePasswordAction(input: ChangePasswordInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await changePassword(platform, viewer, input)
    return null
  })
}

export async function endSessionAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await revokeSession(platform, viewer, asId(id))
    return null
  })
}

export async function endOtherSessionsAction(): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await revokeOtherSessions(platform, viewer)
    return null
  })
}

/** The only answer that ever carries the token itself. */
export async function createTokenAction(input: CreateTokenInput): Promise<ActionResult<{ secret: string }>> {
  return run(async (platform, viewer) => {
    const { secret } = await createToken(platform, viewer, input)
    return { secret }
  })
}

/** The same for a token of a team. */
export async function createTeamTokenAction(
  teamId: string,
  input: Omit<CreateTokenInput, 'teamId'>,
): Promise<ActionResult<{ secret: string }>> {
  return run(async (platform, viewer) => {
    const { secret } = await createTeamToken(platform, viewer, asId(teamId), input)
    return { secret }
  })
}

export async function takeTokenOverAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await takeTokenOver(platform, viewer, asId(id))
    return null
  })
}

export async function revokeTokenAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await revokeToken(platform, viewer, asId(id))
    return null
  })
}

/** In this browser, and for the person wherever he signs in next. */
export async function chooseLocaleAction(locale: string): Promise<ActionResult> {
  return answer(async (platform) => {
    if (!isLocale(locale)) throw new PlatformError('bad-request', 'Berth does not speak this language.')
    const jar = await cookies()
    jar.set(localeCookie, locale, { path: '/', maxAge: 365 * 86_400, sameSite: 'lax' })
    const viewer = await getViewer()
    if (viewer !== null) await setLocale(platform, viewer, locale)
    return null
  })
}
