/** Certificates of the edge: their files, the list that HAProxy reads, and the commands that change a running one. */
import { join } from 'node:path'
import { check } from './routes.ts'
import type { EdgeSettings } from './settings.ts'

/** A certificate with its key, as the edge asks for it. */
export interface EdgeCertificate {
  /** The one name that it is served for, whatever else it is good for: `*.example.com` for all names one below. */
  name: string
  /** Of its own certificate, SHA-256, in hexadecimal: another one is another file. */
  fingerprint: string
}

export interface EdgeCertificates {
  /** For visitors who ask by address, by Berth's own name, or for a name that is not here; null: nothing is encrypted. */
  own: EdgeCertificate | null
  others: readonly EdgeCertificate[]
  /** PEM of the certificate, its chain, and the key. Null where it is gone meanwhile. */
  readPem(certificate: EdgeCertificate): Promise<string | null>
}

export const noCertificates: EdgeCertificates = { own: null, others: [], readPem: async () => null }

const namePattern = /^(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

export function certificatesFolder({ folder }: EdgeSettings): string {
  return join(folder, 'certificates')
}

export function certificatePath(settings: EdgeSettings, { fingerprint }: EdgeCertificate): string {
  check('certificate', fingerprint, /^[0-9a-f]{64}$/)
  return join(certificatesFolder(settings), `${fingerprint}.pem`)
}

export function certificateListPath(settings: EdgeSettings): string {
  return join(settings.folder, 'certificates.list')
}

/** Lines of a crt-list: each certificate counts for its one name alone. */
export function certificateLines(settings: EdgeSettings, certificates: readonly EdgeCertificate[]): string[] {
  return certificates
    .map((certificate) => {
      check('hostname', certificate.name, namePattern)
      return `${certificatePath(settings, certificate)} ${certificate.name}`
    })
    .sort()
}

/** What a running HAProxy has, of `show ssl crt-list <list>`: a heading, then a line for each. */
export function parseCertificateLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('/'))
}

/** The certificate's path in such a line. */
export const certificateFile = (line: string): string => line.split(' ')[0] ?? ''

/**
 * The commands that take a running HAProxy's list to what is wanted; a new one is there before the old one goes.
 * HAProxy 2.6 management guide, 9.3. What follows `<<` ends at the first empty line.
 */
export function certificateChanges(
  listPath: string,
  { wanted, running }: { wanted: readonly string[]; running: readonly string[] },
  pems: ReadonlyMap<string, string>,
): string[] {
  const had = new Set(running)
  const known = new Set(running.map(certificateFile))
  const commands: string[] = []
  for (const line of wanted) {
    const path = certificateFile(line)
    if (had.has(line)) continue
    if (!known.has(path)) {
      const pem = pems.get(path)
      if (pem === undefined) continue
      known.add(path)
      commands.push(
        `new ssl cert ${path}`,
        `set ssl cert ${path} <<\n${pem.trim()}\n`,
        `commit ssl cert ${path}`,
      )
    }
    commands.push(`add ssl crt-list ${listPath} <<\n${line}\n`)
  }
  const stay = new Set(wanted)
  const used = new Set(wanted.map(certificateFile))
  const gone = new Set<string>()
  for (const line of running) {
    if (stay.has(line)) continue
    commands.push(`del ssl crt-list ${listPath} ${certificateFile(line)}`)
    if (!used.has(certificateFile(line))) gone.add(certificateFile(line))
  }
  for (const path of gone) commands.push(`del ssl cert ${path}`)
  return commands
}

/** HAProxy takes a command and what follows it in one buffer of 16 KiB: what is larger wants a reload. */
export const largestCommandBytes = 15_000
