import { Secret, TOTP } from 'otpauth'
import { record } from './audit.ts'
import type { Transaction } from './database.ts'
import type { Platform } from './open.ts'
import type { RequestOrigin } from './request-origin.ts'
import { randomText, seal, sha256, unseal } from './secrets.ts'

// What every authenticator app takes: RFC 6238 with its defaults.
const periodSeconds = 30
const secretBytes = 20

/** Clocks differ, and people type slowly: the codes of the 30 seconds before and after count too. */
const window = 1

export const recoveryCodeCount = 10

/** A new secret, sealed for the account, and the address that an app reads out of the QR code. */
export function newSecret(
  platform: Platform,
  user: { id: string; email: string },
): { sealedSecret: string; secret: string; uri: string } {
  const secret = new Secret({ size: secretBytes })
  const totp = new TOTP({
    issuer: `Berth ${platform.config.domain ?? 'localhost'}`,
    label: user.email,
    secret,
    period: periodSeconds,
  })
  const sealedSecret = seal(platform.keyring, secret.base32, contextOf(user.id))
  return { sealedSecret, secret: secret.base32, uri: totp.toString() }
}

/**
 * Whether this is the app's present code or an unused recovery code. Either counts once: a code that was taken is wrong
 * from then on, and so are all older ones. That a recovery code was used is written down: it is for lost phones, and
 * whoever found the list uses it too. `from`: default, where the request under way came from.
 */
export async function checkCode(
  platform: Platform,
  user: { id: string; name: string },
  code: string,
  from?: RequestOrigin,
): Promise<boolean> {
  const typed = code.replace(/[\s-]/g, '').toLowerCase()
  return /^\d{6}$/.test(typed)
    ? checkAppCode(platform, user.id, typed)
    : takeRecoveryCode(platform, user, typed, from)
}

/** Of the app alone. */
export async function checkAppCode(platform: Platform, userId: string, token: string): Promise<boolean> {
  const row = await platform.db.twoFactor.findUnique({ where: { userId } })
  if (row === null) return false
  const secret = Secret.fromBase32(unseal(platform.keyring, row.sealedSecret, contextOf(userId)))
  const delta = new TOTP({ secret, period: periodSeconds }).validate({ token, window })
  if (delta === null) return false
  const step = Math.floor(Date.now() / 1_000 / periodSeconds) + delta
  const { count } = await platform.db.twoFactor.updateMany({
    where: { userId, lastStep: { lt: step } },
    data: { lastStep: step },
  })
  return count === 1
}

function takeRecoveryCode(
  platform: Platform,
  { id: userId, name }: { id: string; name: string },
  code: string,
  from: RequestOrigin | undefined,
): Promise<boolean> {
  return platform.db.$transaction(async (tx) => {
    const { count } = await tx.recoveryCode.updateMany({
      where: { userId, hash: hashOf(userId, code), usedAt: null },
      data: { usedAt: new Date() },
    })
    if (count === 0) return false
    const left = await tx.recoveryCode.count({ where: { userId, usedAt: null } })
    await record(
      tx,
      { kind: 'user', userId, sessionId: null },
      {
        ...{ teamId: null, action: 'user.use-recovery-code', target: { type: 'user', id: userId, name } },
        detail: { left },
        ...(from === undefined ? {} : { from }),
      },
    )
    return true
  })
}

/** In place of those that were there. The answer alone carries them. */
export async function makeRecoveryCodes(tx: Transaction, userId: string): Promise<string[]> {
  // 20 characters carry 119 bits even without capitals being told apart from small letters: nobody guesses their hash.
  const codes = Array.from({ length: recoveryCodeCount }, () => randomText(20).toLowerCase())
  await tx.recoveryCode.deleteMany({ where: { userId } })
  await tx.recoveryCode.createMany({ data: codes.map((code) => ({ userId, hash: hashOf(userId, code) })) })
  return codes.map((code) => (code.match(/.{5}/g) ?? []).join('-'))
}

function hashOf(userId: string, code: string): string {
  return sha256(`${userId}:${code}`)
}

function contextOf(userId: string): string {
  return `two-factor:${userId}`
}
