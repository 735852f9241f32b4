/** Keys as OpenSSH writes them. Source: PROTOCOL.key of OpenSSH, RFC 4253 and RFC 8709. */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'

export interface DeployKey {
  /** OpenSSH's own form, without a passphrase. */
  privateKey: string
  /** Such as `ssh-ed25519 AAAA…`. */
  publicKey: string
}

const type = 'ssh-ed25519'

export function makeDeployKey(comment: string): DeployKey {
  const { privateKey } = generateKeyPairSync('ed25519')
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' })
  const [secret, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]
  const publicBlob = Buffer.concat([field(type), field(point)])
  const check = randomBytes(4)
  const inner = Buffer.concat([
    ...[check, check, publicBlob, field(Buffer.concat([secret, point]))],
    field(comment),
  ])
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, at) => at + 1))
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[field('none'), field('none'), field(''), number(1)],
    field(publicBlob),
    field(Buffer.concat([inner, padding])),
  ])
  const lines = whole.toString('base64').match(/.{1,70}/g) ?? []
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: `${type} ${publicBlob.toString('base64')}`,
  }
}

/** As `ssh-keygen -l` says it. */
export function fingerprintOf(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64')
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content)
  return Buffer.concat([number(bytes.length), bytes])
}
