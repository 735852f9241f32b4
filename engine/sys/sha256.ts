/**
 * SHA-256 on another thread, for whoever has something else to do with the same bytes: Node's own hash blocks the thread
 * that asks for it. By the OpenSSL that is part of Node, or that Node was linked with. Source: EVP_DigestInit(3).
 */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import koffi from 'koffi'

export interface Sha256 {
  /** Answers when the bytes are hashed; they must stay as they are until then. One call at a time. */
  update(bytes: Buffer): Promise<void>
  /** The digest in hexadecimal. To be called once, at the end. */
  hex(): string
}

const digestBytes = 32
const openssl = load()

function load() {
  try {
    const node = koffi.load(null)
    const update = node.func('int EVP_DigestUpdate(void*, void*, size_t)')
    return {
      create: node.func('void* EVP_MD_CTX_new()'),
      free: node.func('void EVP_MD_CTX_free(void*)'),
      sha256: node.func('void* EVP_sha256()'),
      init: node.func('int EVP_DigestInit_ex(void*, void*, void*)'),
      finish: node.func('int EVP_DigestFinal_ex(void*, void*, void*)'),
      update: promisify((hash: unknown, bytes: Buffer, done: (error: Error | null, result: number) => void) =>
        update.async(hash, bytes, bytes.length, done),
      ),
    }
  } catch {
    // A Node that does not show its OpenSSL.
    return null
  }
}

export function createSha256(): Sha256 {
  if (openssl === null) return onThisThread()
  const { create, free, sha256, init, finish, update } = openssl
  const hash: unknown = create()
  if (hash === null || init(hash, sha256(), null) !== 1) return onThisThread()
  const failed = () => new Error('OpenSSL cannot hash')
  return {
    async update(bytes) {
      if (bytes.length > 0 && (await update(hash, bytes)) !== 1) throw failed()
    },
    hex() {
      const digest = Buffer.alloc(digestBytes)
      const result: unknown = finish(hash, digest, null)
      free(hash)
      if (result !== 1) throw failed()
      return digest.toString('hex')
    },
  }
}

function onThisThread(): Sha256 {
  const hash = createHash('sha256')
  return {
    async update(bytes) {
      hash.update(bytes)
    },
    hex: () => hash.digest('hex'),
  }
}
