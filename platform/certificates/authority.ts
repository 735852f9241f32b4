/** Berth's own authority, for names that no public one signs: one root for the installation, and what it signs. */
import { randomBytes } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { Platform } from '../open.ts'
import { seal, unseal } from '../secrets.ts'

/** Certificate and key, both PEM. */
export interface KeyPair {
  chain: string
  key: string
}

const day = 86_400_000
const rootDays = 3_650
/** Short, since nothing has to be asked for a new one. */
const leafDays = 7
/** Clocks of visitors may be slow. */
const backdatedMs = 3_600_000
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const context = 'certificate-authority'
const id = 'internal'

/** PEM of the root, which people have their devices trust. It is made when it is first asked for. */
export async function rootCertificate(platform: Platform): Promise<string> {
  return (await authority(platform)).certificate
}

/** A certificate for these names and addresses, with its chain, and the key that was made for it. */
export async function signLeaf(
  platform: Platform,
  [first, ...others]: readonly [string, ...string[]],
): Promise<KeyPair> {
  const { certificate, sealedKey } = await authority(platform)
  const root = new x509.X509Certificate(certificate)
  const names = [first, ...others]
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = Date.now()
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    // A common name has 64 characters at most (X.520); it says nothing beside the alternative names.
    subject: [{ CN: [first.slice(0, 64)] }],
    issuer: root.subject,
    notBefore: new Date(now - backdatedMs),
    notAfter: new Date(Math.min(now + leafDays * day, root.notAfter.getTime())),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: await importKey(unseal(platform.keyring, sealedKey, context)),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? 'ip' : 'dns', value }) as const),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(root.publicKey),
    ],
  })
  return { chain: leaf.toString('pem'), key: await exportKey(keys.privateKey) }
}

/** Two that make it at one moment: one of them is kept. */
async function authority({ db, keyring }: Platform): Promise<{ certificate: string; sealedKey: string }> {
  const known = await db.certificateAuthority.findUnique({ where: { id } })
  if (known !== null) return known
  const made = await makeRoot()
  await db.certificateAuthority.createMany({
    data: [{ id, certificate: made.chain, sealedKey: seal(keyring, made.key, context) }],
    skipDuplicates: true,
  })
  return db.certificateAuthority.findUniqueOrThrow({ where: { id } })
}

async function makeRoot(): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = Date.now()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    // Told apart from that of another Berth in a list of trusted ones.
    name: [{ CN: [`Berth local authority ${randomBytes(3).toString('hex')}`] }],
    notBefore: new Date(now - backdatedMs),
    notAfter: new Date(now + rootDays * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { chain: certificate.toString('pem'), key: await exportKey(keys.privateKey) }
}

/** 127 bits, positive (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

async function exportKey(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

function importKey(pem: string): Promise<CryptoKey> {
  const [bytes = new ArrayBuffer(0)] = x509.PemConverter.decode(pem)
  return crypto.subtle.importKey('pkcs8', bytes, algorithm, false, ['sign'])
}
