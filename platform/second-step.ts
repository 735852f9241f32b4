import { PlatformError } from './errors.ts'
import type { Platform } from './open.ts'
import { randomText, sha256 } from './secrets.ts'

export const secondStepSeconds = 600

/** The first step of signing in was right, and a code is to follow. The browser keeps the ticket. */
export class SecondStep extends PlatformError {
  readonly ticket: string

  constructor(ticket: string) {
    super('second-factor-needed', 'A code of your authenticator app is needed to sign in.')
    this.ticket = ticket
  }
}

interface Account {
  id: string
  name: string
  email: string
  passwordHash: string | null
  disabledAt: Date | null
}

export async function beginSecondStep(platform: Platform, user: Account): Promise<string> {
  const ticket = randomText(40)
  await platform.redis.set(keyOf(ticket), `${user.id} ${stampOf(user)}`, 'EX', secondStepSeconds)
  return ticket
}

/** Null when it ran out, was used, or the account changed its password or was disabled meanwhile. */
export async function readSecondStep(platform: Platform, ticket: string): Promise<Account | null> {
  const [userId, stamp] = ((await platform.redis.get(keyOf(ticket))) ?? '').split(' ')
  if (userId === undefined || userId === '') return null
  const user = await platform.db.user.findUnique({ where: { id: userId } })
  return user === null || user.disabledAt !== null || stampOf(user) !== stamp ? null : user
}

export async function endSecondStep(platform: Platform, ticket: string): Promise<void> {
  await platform.redis.del(keyOf(ticket))
}

function stampOf({ passwordHash }: Account): string {
  return sha256(passwordHash ?? '').slice(0, 32)
}

function keyOf(ticket: string): string {
  return `berth:second-step:${sha256(ticket)}`
}
