import { randomUUID, X509Certificate } from 'node:crypto'
import { importPKCS8, SignJWT } from 'jose'
import type { Config } from '../config.ts'
import { registryIssuer, registryService } from '../model/registry.ts'

export interface RegistryAccess {
  type: 'repository' | 'registry'
  name: string
  actions: string[]
}

/**
 * A token as Distribution wants it (distribution/docs/spec/auth/jwt.md): ES256, the certificate in `x5c`, which 2.8
 * and 3 both know, and `aud` as plain text.
 */
export async function signRegistryToken(
  config: Pick<Config, 'readSecret'>,
  account: string,
  access: RegistryAccess[],
  lifetimeSeconds: number,
): Promise<string> {
  const { key, x5c } = await signer(config)
  const now = Math.floor(Date.now() / 1_000)
  return new SignJWT({ access })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c })
    .setIssuer(registryIssuer)
    .setAudience(registryService)
    .setSubject(account)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setNotBefore(now - 30)
    .setExpirationTime(now + lifetimeSeconds)
    .sign(key)
}

interface Signer {
  /** What it was made from: other files make another one. */
  pem: string
  key: CryptoKey
  x5c: string[]
}

let last: Signer | null = null

/** Reading the key and the certificate takes longer than signing: they are kept as long as the files say the same. */
async function signer(config: Pick<Config, 'readSecret'>): Promise<Signer> {
  const [keyPem, certificatePem] = [
    config.readSecret('registry.key.pem'),
    config.readSecret('registry.cert.pem'),
  ]
  const pem = `${keyPem}\n${certificatePem}`
  if (last?.pem === pem) return last
  const key = await importPKCS8(keyPem, 'ES256')
  last = { pem, key, x5c: [new X509Certificate(certificatePem).raw.toString('base64')] }
  return last
}
