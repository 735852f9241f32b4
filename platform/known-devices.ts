import type { Transaction } from './database.ts'
import type { Platform } from './open.ts'
import { networkOf } from './origin.ts'
import { randomText, sha256 } from './secrets.ts'

/** A browser that did not sign in for so long is a stranger again. */
const daysKnown = 180

/** Whether somebody with this e-mail address signed in before in the browser that holds the token. */
export async function isKnownDevice(
  platform: Platform,
  email: string,
  device: string | null,
): Promise<boolean> {
  // Asked for nobody and nothing as well: the answer must take as long.
  const count = await platform.db.knownDevice.count({
    where: {
      user: { email },
      tokenHash: sha256(device ?? ''),
      lastUsedAt: { gt: new Date(Date.now() - daysKnown * 86_400_000) },
    },
  })
  return count > 0
}

/** The same for an account; null where it knows no browser at all, as before the first sign-in. */
export async function isDeviceOf(
  tx: Transaction,
  userId: string,
  device: string | null,
): Promise<boolean | null> {
  const known = await tx.knownDevice.findMany({ where: { userId }, select: { tokenHash: true } })
  if (known.length === 0) return null
  return device !== null && known.some(({ tokenHash }) => tokenHash === sha256(device))
}

/** Whether one of the account's sessions of the last months came from the same network. */
export async function isUsualNetwork(platform: Platform, email: string, address: string): Promise<boolean> {
  const sessions = await platform.db.session.findMany({
    where: { user: { email }, createdAt: { gt: new Date(Date.now() - daysKnown * 86_400_000) } },
    orderBy: { id: 'desc' },
    distinct: ['address'],
    take: 50,
    select: { address: true },
  })
  const network = networkOf(address)
  return sessions.some((session) => session.address !== null && networkOf(session.address) === network)
}

/** Answers the token that the browser's cookie is to hold from now on: its own, if it has one. */
export async function rememberDevice(
  tx: Transaction,
  userId: string,
  device: string | null,
): Promise<string> {
  const token = device !== null && /^[A-Za-z0-9]{40}$/.test(device) ? device : randomText(40)
  const tokenHash = sha256(token)
  await tx.knownDevice.upsert({
    where: { userId_tokenHash: { userId, tokenHash } },
    create: { userId, tokenHash },
    update: { lastUsedAt: new Date() },
  })
  await tx.knownDevice.deleteMany({
    where: { userId, lastUsedAt: { lt: new Date(Date.now() - daysKnown * 86_400_000) } },
  })
  return token
}
