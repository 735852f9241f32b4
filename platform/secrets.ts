import { createCipheriv, createDecipheriv, createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Config } from './config.ts'

/** Keys that values are sealed with; `current` seals, all of them open. */
export interface Keyring {
  readonly current: string
  readonly keys: ReadonlyMap<string, Buffer>
}

const keyFileSchema = z.object({
  current: z.string(),
  keys: z.record(z.string().regex(/^[A-Za-z0-9_-]+$/), z.base64()),
})

/** Reads `<home>/secrets/master.key`. Throws when a key is not 32 bytes or the current one is missing. */
export function loadKeyring(config: Pick<Config, 'readSecret'>): Keyring {
  return parseKeyring(config.readSecret('master.key'))
}

export function parseKeyring(text: string): Keyring {
  const file = keyFileSchema.parse(JSON.parse(text))
  const keys = new Map(Object.entries(file.keys).map(([id, key]) => [id, Buffer.from(key, 'base64')]))
  for (const [id, key] of keys) {
    if (key.length !== 32) throw new Error(`master.key: key ${id} has ${key.length} bytes; it must have 32`)
  }
  if (!keys.has(file.current))
    throw new Error(`master.key: the current key ${file.current} is not among the keys`)
  return { current: file.current, keys }
}

/**
 * Seals text with AES-256-GCM: `v1:<key id>:<nonce>:<ciphertext and tag>`, both in base64url.
 * `context` says whose value it is (such as `app:app_…:DATABASE_URL`): it opens only where it was sealed for, so a
 * value copied to another row is worth nothing. Nonces are random: 2^32 values under one key are safe.
 */
export function seal(keyring: Keyring, text: string, context: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf(keyring, keyring.current), nonce)
  cipher.setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `v1:${keyring.current}:${nonce.toString('base64url')}:${sealed.toString('base64url')}`
}

/** Throws when it was tampered with, was sealed for another context, or its key is gone. */
export function unseal(keyring: Keyring, sealed: string, context: string): string {
  const [version, keyId, nonce, body] = sealed.split(':')
  if (version !== 'v1' || keyId === undefined || nonce === undefined || body === undefined) {
    throw new Error(`sealed value for ${context} has an unknown format`)
  }
  const bytes = Buffer.from(body, 'base64url')
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(keyring, keyId), Buffer.from(nonce, 'base64url'), {
      authTagLength: 16,
    })
    decipher.setAAD(Buffer.from(context))
    decipher.setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8')
  } catch (cause) {
    throw new Error(`sealed value for ${context} can't be opened`, { cause })
  }
}

/** Whether it was sealed with an earlier key and should be sealed again. */
export function needsReseal(keyring: Keyring, sealed: string): boolean {
  return sealed.split(':')[1] !== keyring.current
}

function keyOf(keyring: Keyring, id: string): Buffer {
  const key = keyring.keys.get(id)
  if (key === undefined) throw new Error(`master.key has no key ${id}`)
  return key
}

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Letters and digits only, each of 62 equally likely. 40 of them carry 238 bits. */
export function randomText(length: number): string {
  let text = ''
  while (text.length < length) {
    // 248 is the largest multiple of 62 in a byte: what lies above would make some characters likelier.
    for (const byte of randomBytes(length))
      if (byte < 248 && text.length < length) text += base62.charAt(byte % 62)
  }
  return text
}

/** For secrets of our own making: they are long and random, so a plain hash is enough. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Compares without telling by its duration how much was right. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())
}
