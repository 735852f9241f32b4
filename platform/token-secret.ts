import { crc32 } from 'node:zlib'
import { randomText } from './secrets.ts'

/** Marks our tokens, so that scanners for leaked secrets find them. */
export const tokenPrefix = 'berth_'

const randomLength = 34
const checkLength = 6
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * `berth_`, 34 random characters (202 bits) and 6 that check them, so that a scanner knows a token from text that looks
 * like one without asking anybody: /\bberth_[0-9A-Za-z]{40}\b/, then isTokenText().
 */
export function newTokenSecret(): string {
  const random = randomText(randomLength)
  return `${tokenPrefix}${random}${checkOf(random)}`
}

/** Whether its last six characters fit the others. Says nothing about whether it was ever made. */
export function isTokenText(text: string): boolean {
  const body = text.slice(tokenPrefix.length)
  if (!text.startsWith(tokenPrefix) || !/^[0-9A-Za-z]{40}$/.test(body)) return false
  return checkOf(body.slice(0, randomLength)) === body.slice(randomLength)
}

/** CRC-32 (ISO 3309) of the random characters in base 62, digits first, then A–Z, then a–z, filled up with zeros. */
function checkOf(random: string): string {
  let text = ''
  for (let rest = crc32(random), i = 0; i < checkLength; i++) {
    text = alphabet.charAt(rest % 62) + text
    rest = Math.floor(rest / 62)
  }
  return text
}
