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
  const key = await importPKCS8(config.readSecret('registry.key.pem'), 'ES256')
  const certificate = new X509Certificate(config.readSecret('registry.cert.pem'))
  const now = Math.floor(Date.now() / 1_000)
  return new SignJWT({ access })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c: [certificate.raw.toString('base64')] })
    .setIssuer(registryIssuer)
    .setAudience(registryService)
    .setSubject(account)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setNotBefore(now - 30)
    .setExpirationTime(now + lifetimeSeconds)
    .sign(key)
}
