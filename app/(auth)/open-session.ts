import { signIn } from 'next-auth/react'

export type SignInProblem = 'wrong' | 'rateLimited' | 'unavailable'

/** Signs in with e-mail and password; null when that worked. */
export async function openSession(email: string, password: string): Promise<SignInProblem | null> {
  try {
    const result = await signIn('credentials', { email, password, redirect: false })
    if (result === undefined) return 'unavailable'
    if (result.ok && !result.error) return null
    if (result.error === 'rate-limited') return 'rateLimited'
    return result.error === 'CredentialsSignin' ? 'wrong' : 'unavailable'
  } catch {
    return 'unavailable'
  }
}
