import { isKnownDevice, isUsualNetwork } from './known-devices.ts'
import { forgetGuesses, type Guess, takeGuess } from './lock-out.ts'
import type { Platform } from './open.ts'
import { networkOf, type Origin } from './origin.ts'
import { countAttempt, giveBackAttempt } from './rate-limit.ts'
import { sha256 } from './secrets.ts'

/**
 * Guesses at an account's password or second factor. Whoever guesses is slowed down where he is: at this account from
 * his network, and at all accounts from it. So nobody locks anybody else out:
 * - a browser that signed in to the account before has a count of its own, whatever happens elsewhere;
 * - a network that the account's owner signed in from before has a count of its own too;
 * - only strangers share one count for an account, which stops those who guess from very many networks at once.
 */
const kinds = {
  password: {
    pair: { name: 'password:pair', free: 5, firstSeconds: 30, mostSeconds: 900 },
    device: { name: 'password:device', free: 10, firstSeconds: 30, mostSeconds: 900 },
    strangers: { name: 'password:strangers', limit: 100, windowSeconds: 3_600 },
  },
  // A code has a million values, and whoever tries them knows the password already.
  code: {
    pair: { name: 'code:pair', free: 5, firstSeconds: 60, mostSeconds: 3_600 },
    device: { name: 'code:device', free: 5, firstSeconds: 60, mostSeconds: 3_600 },
    strangers: { name: 'code:strangers', limit: 30, windowSeconds: 86_400 },
  },
} as const

/** After the account's owner chose a new password: his own wrong guesses at the old one no longer make him wait. */
export async function clearGuesses(
  platform: Platform,
  email: string,
  { address, device = null }: Origin,
): Promise<void> {
  const { pair, device: own } = kinds.password
  const account = sha256(email)
  await forgetGuesses(platform, pair, `${account}:${networkOf(address)}`)
  if (device !== null) await forgetGuesses(platform, own, `${account}:${sha256(device)}`)
}

const byNetwork = { name: 'sign-in:network', limit: 50, windowSeconds: 900 }

/** Counts one guess before it is looked at. Throws `rate-limited` with the time to wait, or `unavailable`. */
export async function countGuess(
  platform: Platform,
  kind: keyof typeof kinds,
  email: string,
  { address, device = null }: Origin,
): Promise<Guess> {
  const { pair, device: own, strangers } = kinds[kind]
  const network = networkOf(address)
  const account = sha256(email)
  const [known, usual] = await Promise.all([
    isKnownDevice(platform, email, device),
    isUsualNetwork(platform, email, address),
  ])
  if (known) {
    return takeGuess(platform, own, `${account}:${sha256(device ?? '')}`)
  }
  const guess = await takeGuess(platform, pair, `${account}:${network}`)
  try {
    await countAttempt(platform, byNetwork, network)
    if (!usual) await countAttempt(platform, strangers, account)
  } catch (error) {
    await guess.isOver()
    throw error
  }
  return {
    isOver: guess.isOver,
    async wasRight() {
      await guess.wasRight()
      // Given back, not forgotten: who owns one account must not be able to guess at others without end.
      await giveBackAttempt(platform, byNetwork, network)
      if (!usual) await giveBackAttempt(platform, strangers, account)
    },
  }
}
