import { X509Certificate } from 'node:crypto'
import { importX509, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Config } from '../config.ts'
import { registryIssuer, registryService } from '../model/registry.ts'

const claimsSchema = z.object({
  sub: z.string(),
  access: z.array(z.object({ type: z.string(), name: z.string(), actions: z.array(z.string()) })),
})

export type RegistryClaims = z.infer<typeof claimsSchema>

/** What one of our own registry tokens says, for the requests that Berth answers itself; null for anything else. */
export async function verifyRegistryToken(
  config: Pick<Config, 'readSecret'>,
  token: string,
): Promise<RegistryClaims | null> {
  const certificate = new X509Certificate(config.readSecret('registry.cert.pem'))
  const key = await importX509(certificate.toString(), 'ES256')
  try {
    const { payload } = await jwtVerify(token, key, {
      issuer: registryIssuer,
      audience: registryService,
      algorithms: ['ES256'],
    })
    return claimsSchema.parse(payload)
  } catch {
    return null
  }
}
