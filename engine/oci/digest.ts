import { createHash } from 'node:crypto'
import { Transform } from 'node:stream'
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

/**
 * Passes bytes through and fails the stream at its end unless they have this digest (corrupt), and as soon as there are
 * more than `maxBytes` of them (limit-exceeded): nobody downstream can forget to check.
 */
export function verifyStream(digest: Digest, what: string, maxBytes: number): Transform {
  const hash = createHash('sha256')
  let seen = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length
      if (seen > maxBytes)
        return done(new EngineError('limit-exceeded', `${what} is larger than ${maxBytes} bytes`))
      hash.update(chunk)
      done(null, chunk)
    },
    flush(done) {
      const found = `sha256:${hash.digest('hex')}`
      if (found === digest) return done()
      done(
        new EngineError('corrupt', `${what} is not what its digest says: expected ${digest}, found ${found}`),
      )
    },
  })
}
