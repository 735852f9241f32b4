/** An authority of the test's own and a certificate that it signed, by openssl. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificates {
  /** PEM of the authority. */
  ca: string
  cert: string
  key: string
}

export function makeCertificates(names = 'DNS:localhost,IP:127.0.0.1'): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'berth-certificates-'))
  try {
    const at = (name: string) => join(folder, name)
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    openssl(
      'req',
      '-x509',
      ...ec,
      '-keyout',
      at('ca.key'),
      '-out',
      at('ca.pem'),
      '-days',
      '2',
      '-subj',
      '/CN=ca',
    )
    openssl('req', ...ec, '-keyout', at('key'), '-out', at('csr'), '-subj', '/CN=registry')
    writeFileSync(at('ext'), `subjectAltName=${names}`)
    const signer = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial']
    openssl(
      'x509',
      '-req',
      '-in',
      at('csr'),
      ...signer,
      '-days',
      '2',
      '-extfile',
      at('ext'),
      '-out',
      at('cert'),
    )
    const read = (name: string) => readFileSync(at(name), 'utf8')
    return { ca: read('ca.pem'), cert: read('cert'), key: read('key') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
