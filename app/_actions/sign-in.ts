'use server'

import { cookies } from 'next/headers'
import { getLocale } from 'next-intl/server'
import { changeMail, removeMail, testMail } from '@/platform/mail/settings.ts'
import type { ProofInput } from '@/platform/model/inputs.ts'
import type { MailSettingsInput } from '@/platform/model/mail-settings.ts'
import type {
  CreateProviderInput,
  RegisterInput,
  RegistrationInput,
  UpdateProviderInput,
} from '@/platform/model/sign-in-settings.ts'
import { beginLink, linkSeconds, unlinkIdentity } from '@/platform/sign-in/identities.ts'
import { createProvider, deleteProvider, updateProvider } from '@/platform/sign-in/providers.ts'
import { askRegistration, changeRegistration, register } from '@/platform/sign-in/registration.ts'
import { requestExchange } from '../_server/request-exchange.ts'
import { cookieName } from '../_server/session-cookie.ts'
import type { ActionResult } from './result.ts'
import { answer, asId, run } from './run.ts'

/** Says nothing of whether there is such an account. */
export async function askRegistrationAction(email: string): Promise<ActionResult> {
  return answer(async (platform) => {
    const { origin } = await requestExchange()
    await askRegistration(platform, { email, locale: await getLocale() }, origin)
    return null
  })
}

/** Answers with whom to sign in. */
export async function registerAction(input: RegisterInput): Promise<ActionResult<{ email: string }>> {
  return answer(async (platform) => {
    const { email } = await register(platform, input)
    return { email }
  })
}

/** The next identity that this browser brings back from the provider is linked. */
export async function beginLinkAction(providerId: string, input: ProofInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    const { ticket } = await beginLink(platform, viewer, asId(providerId), input)
    const jar = await cookies()
    jar.set(cookieName(platform.config, 'link'), ticket, {
      ...{ path: '/', maxAge: linkSeconds, sameSite: 'lax', httpOnly: true },
      secure: platform.config.publicUrl.startsWith('https://'),
    })
    return null
  })
}

export async function unlinkIdentityAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await unlinkIdentity(platform, viewer, asId(id))
    return null
  })
}

export async function changeRegistrationAction(input: RegistrationInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await changeRegistration(platform, viewer, input)
    return null
  })
}

export async function createProviderAction(input: CreateProviderInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await createProvider(platform, viewer, input)
    return null
  })
}

export async function updateProviderAction(id: string, input: UpdateProviderInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await updateProvider(platform, viewer, asId(id), input)
    return null
  })
}

export async function deleteProviderAction(id: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await deleteProvider(platform, viewer, asId(id))
    return null
  })
}

export async function changeMailAction(input: MailSettingsInput): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await changeMail(platform, viewer, input)
    return null
  })
}

export async function removeMailAction(): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await removeMail(platform, viewer)
    return null
  })
}

export async function testMailAction(to: string): Promise<ActionResult<{ taken: boolean; answer: string }>> {
  return run((platform, viewer) => testMail(platform, viewer, { to }))
}
