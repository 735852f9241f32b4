import { getCsrfToken, signIn } from 'next-auth/react'

export type SignInProblem =
  | { kind: 'wrong' | 'unavailable' }
  /** The password was right, and a code is to follow. */
  | { kind: 'secondStep' }
  /** The code came too late: the password is asked for again. */
  | { kind: 'stepGone' }
  | { kind: 'rateLimited'; retryAfterSeconds: number }

/** Signs in with e-mail and password; null when that worked. */
export async function openSession(email: string, password: string): Promise<SignInProblem | null> {
  return attempt('credentials', { email, password })
}

/** The second step, in the browser that made the first. */
export async function openSessionWithCode(code: string): Promise<SignInProblem | null> {
  return attempt('code', { code })
}

async function attempt(provider: string, input: Record<string, string>): Promise<SignInProblem | null> {
  try {
    const result = await signIn(provider, { ...input, redirect: false })
    if (result === undefined) return { kind: 'unavailable' }
    if (result.ok && !result.error) return null
    const seconds = /^rate-limited:(\d+)$/.exec(result.error ?? '')?.[1]
    if (seconds !== undefined) return { kind: 'rateLimited', retryAfterSeconds: Number(seconds) }
    if (result.error === 'second-step') return { kind: 'secondStep' }
    if (result.error === 'step-gone') return { kind: 'stepGone' }
    return { kind: result.error === 'CredentialsSignin' ? 'wrong' : 'unavailable' }
  } catch {
    return { kind: 'unavailable' }
  }
}

/** Leaves for a provider, which leads back to `next`; or to a page of ours that says why that can't be. */
export async function leaveFor(providerId: string, next: string): Promise<void> {
  const csrfToken = (await getCsrfToken()) ?? ''
  const response = await fetch(`/api/auth/signin/${encodeURIComponent(providerId)}`, {
    method: 'POST',
    body: new URLSearchParams({ csrfToken, callbackUrl: next, json: 'true' }),
  })
  const { url } = (await response.json()) as { url?: unknown }
  window.location.assign(typeof url === 'string' ? url : '/sign-in?error=unavailable')
}
