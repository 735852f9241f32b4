import { signIn } from 'next-auth/react'

export type SignInProblem =
  | { kind: 'wrong' | 'unavailable' }
  | { kind: 'rateLimited'; retryAfterSeconds: number }

/** Signs in with e-mail and password; null when that worked. */
export async function openSession(email: string, password: string): Promise<SignInProblem | null> {
  try {
    const result = await signIn('credentials', { email, password, redirect: false })
    if (result === undefined) return { kind: 'unavailable' }
    if (result.ok && !result.error) return null
    const seconds = /^rate-limited:(\d+)$/.exec(result.error ?? '')?.[1]
    if (seconds !== undefined) return { kind: 'rateLimited', retryAfterSeconds: Number(seconds) }
    return { kind: result.error === 'CredentialsSignin' ? 'wrong' : 'unavailable' }
  } catch {
    return { kind: 'unavailable' }
  }
}
