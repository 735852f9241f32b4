'use server'

import { getLocale } from 'next-intl/server'
import { askReset } from '@/platform/link-requests.ts'
import type { ResetPasswordInput } from '@/platform/model/inputs.ts'
import { resetPassword } from '@/platform/reset-password.ts'
import { requestExchange } from '../_server/request-exchange.ts'
import type { ActionResult } from './result.ts'
import { answer } from './run.ts'

/** Says nothing of whether there is such an account. */
export async function askResetAction(email: string): Promise<ActionResult> {
  return answer(async (platform) => {
    await askReset(platform, { email, locale: await getLocale() }, (await requestExchange()).origin)
    return null
  })
}

export async function resetPasswordAction(input: ResetPasswordInput): Promise<ActionResult> {
  return answer(async (platform) => {
    await resetPassword(platform, input, (await requestExchange()).origin)
    return null
  })
}
