'use server'

import { cookies, headers } from 'next/headers'
import { getLocale } from 'next-intl/server'
import { askReset } from '@/platform/link-requests.ts'
import type { ResetPasswordInput } from '@/platform/model/inputs.ts'
import { resetPassword } from '@/platform/reset-password.ts'
import { getPlatform } from '../_server/platform.ts'
import { createExchange } from '../_server/sign-in-exchange.ts'
import type { ActionResult } from './result.ts'
import { answer } from './run.ts'

/** Says nothing of whether there is such an account. */
export async function askResetAction(email: string): Promise<ActionResult> {
  return answer(async (platform) => {
    await askReset(platform, { email, locale: await getLocale() }, await originOfRequest())
    return null
  })
}

export async function resetPasswordAction(input: ResetPasswordInput): Promise<ActionResult> {
  return answer(async (platform) => {
    await resetPassword(platform, input, await originOfRequest())
    return null
  })
}

async function originOfRequest() {
  const [{ config }, given, jar] = await Promise.all([getPlatform(), headers(), cookies()])
  return createExchange(config, given, (name) => jar.get(name)?.value).origin
}
