import { TOTP } from 'otpauth'

/** What an authenticator app shows for the secret, now or in the next 30 seconds. */
export function codeOf(secret: string, { ahead = false } = {}): string {
  return new TOTP({ secret }).generate({ timestamp: Date.now() + (ahead ? 30_000 : 0) })
}
