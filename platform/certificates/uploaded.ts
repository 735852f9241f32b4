/** Certificates that people bring: what was pasted → what the edge can serve, or a sentence at the field. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { PlatformError } from '../errors.ts'
import type { KeyPair } from './authority.ts'

const maxCertificates = 10
const serverAuth = '1.3.6.1.5.5.7.3.1'

/**
 * Checks all that browsers and the edge would refuse later: one bad certificate must not keep the edge from starting.
 * What is answered is written anew, so nothing that stood between the blocks is kept. Throws `invalid` at `chain` or `key`.
 */
export function readUploaded(
  name: string,
  given: { chain: string; key: string },
  now: Date = new Date(),
): KeyPair {
  const certificates = readChain(given.chain)
  const key = readKey(given.key)
  const [own] = certificates
  if (own === undefined) throw bad('chain', 'must be PEM certificates, its own first')
  if (!own.checkPrivateKey(key)) {
    const place = certificates.findIndex((each) => each.checkPrivateKey(key))
    if (place === -1) throw bad('key', 'does not belong to the certificate')
    throw bad('chain', `has its own certificate at place ${place + 1}; it must be the first`)
  }
  mustBeForServers(own)
  mustBeFor(own, name)
  for (const [at, certificate] of certificates.entries()) {
    mustBeValid(certificate, at, now)
    mustBeStrong(certificate, at)
    const issuer = certificates[at + 1]
    if (issuer !== undefined && !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)))
      throw bad('chain', `is not in order: certificate ${at + 1} was not signed by certificate ${at + 2}`)
  }
  return {
    chain: certificates.map((certificate) => certificate.toString().trim()).join('\n'),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function readChain(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw bad('chain', 'must be PEM certificates, its own first')
  if (blocks.length > maxCertificates) throw bad('chain', `must be at most ${maxCertificates} certificates`)
  if (text.includes('PRIVATE KEY-----'))
    throw bad('chain', 'must not hold the key: that has a field of its own')
  return blocks.map((block, at) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw bad('chain', `can't be read: certificate ${at + 1} is damaged`)
    }
  })
}

function readKey(text: string): KeyObject {
  if (/ENCRYPTED/.test(text))
    throw bad('key', 'is protected by a passphrase: give it without, as `openssl pkey` writes it')
  const [block] =
    /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----[\s\S]*?-----END ([A-Z]+ )?PRIVATE KEY-----/.exec(text) ?? []
  if (block === undefined) throw bad('key', 'must be a private key in PEM')
  let key: KeyObject
  try {
    key = createPrivateKey(block)
  } catch {
    throw bad('key', "can't be read: it is damaged, or of a kind that is not known")
  }
  mustBeStrongKey(key, (message) => bad('key', message))
  return key
}

/** What OpenSSL's security level 2, which the edge has from its distribution, would refuse to load. */
function mustBeStrongKey(key: KeyObject, fail: (message: string) => PlatformError): void {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') {
    if (modulusLength < 2_048)
      throw fail(`is too weak: ${modulusLength} bits of RSA; at least 2048 are needed`)
  } else if (key.asymmetricKeyType !== 'ec' || !['prime256v1', 'secp384r1', 'secp521r1'].includes(namedCurve))
    throw fail('must be of RSA, or of the curves P-256, P-384 or P-521')
}

function mustBeForServers(own: X509Certificate): void {
  // Node calls the extended usages so; without any it is good for all.
  const usages: unknown = own.keyUsage
  if (Array.isArray(usages) && usages.length > 0 && !usages.includes(serverAuth))
    throw bad('chain', 'is not for servers: its certificate was made for another use')
}

function mustBeFor(own: X509Certificate, name: string): void {
  const names = [...(own.subjectAltName ?? '').matchAll(/DNS:([^,\s"]+)/g)].map(([, found = '']) =>
    found.toLowerCase(),
  )
  const isCovered = names.includes(name) || names.includes(`*.${name.slice(name.indexOf('.') + 1)}`)
  if (name.startsWith('*.') ? names.includes(name) : isCovered) return
  const shown = names.slice(0, 5).join(', ')
  throw bad(
    'chain',
    names.length === 0 ? `names no host, so not ${name}` : `is for ${shown}, and not for ${name}`,
  )
}

function mustBeValid({ validFromDate, validToDate }: X509Certificate, at: number, now: Date): void {
  const day = (date: Date) => date.toISOString().slice(0, 10)
  if (validToDate <= now)
    throw bad('chain', `has ended: certificate ${at + 1} was good until ${day(validToDate)}`)
  if (validFromDate > now)
    throw bad('chain', `is not good yet: certificate ${at + 1} is from ${day(validFromDate)} on`)
}

function mustBeStrong(certificate: X509Certificate, at: number): void {
  mustBeStrongKey(certificate.publicKey, (message) => bad('chain', `certificate ${at + 1} ${message}`))
  // Nobody looks at the signature of a root.
  if (certificate.checkIssued(certificate)) return
  const { signatureAlgorithm } = new x509.X509Certificate(certificate.raw)
  const hash = 'hash' in signatureAlgorithm ? (signatureAlgorithm.hash as { name?: string }).name : undefined
  if (hash === 'SHA-1' || hash === undefined)
    throw bad('chain', `certificate ${at + 1} is signed with a hash that browsers refuse`)
}

function bad(path: 'chain' | 'key', message: string): PlatformError {
  const of = path === 'chain' ? 'The certificate' : 'The key'
  return new PlatformError('invalid', `${of} ${message}.`, { fields: [{ path, message }] })
}
