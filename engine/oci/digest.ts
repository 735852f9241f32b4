import { createHash } from 'node:crypto'
import { EngineError } from '../errors.ts'

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = string

export function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text)
}

/** The hexadecimal part, safe as a file name. Throws invalid on anything else than a SHA-256 digest. */
export function digestHex(digest: Digest): string {
  if (!isDigest(digest))
    throw new EngineError('invalid', `${JSON.stringify(digest.slice(0, 100))} is not a sha256 digest`)
  return digest.slice('sha256:'.length)
}

export function digestOf(bytes: Buffer | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
