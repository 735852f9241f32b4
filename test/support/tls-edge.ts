/** An edge with certificates of an authority of its own, and clients that trust nobody else. */
import { randomBytes, X509Certificate } from 'node:crypto'
import { connect as connectHttp2 } from 'node:http2'
import { Agent, request } from 'node:https'
import { connect } from 'node:tls'
import type { EdgeCertificate, EdgeCertificates } from '../../worker/edge/certificates.ts'
import type { Answer } from './edge.ts'

export interface TestAuthority {
  ca: string
  /** Adds a certificate for the name; a later one for the same name takes its place. */
  issue(name: string, options?: { paddingBytes?: number }): Promise<EdgeCertificate>
  certificates(own: EdgeCertificate, others: EdgeCertificate[]): EdgeCertificates
}

export async function makeAuthority(
  sign: (names: [string]) => Promise<{ chain: string; key: string }>,
  ca: string,
): Promise<TestAuthority> {
  const pems = new Map<string, string>()
  return {
    ca,
    async issue(name, { paddingBytes = 0 } = {}) {
      const { chain, key } = await sign([name])
      const fingerprint = new X509Certificate(chain).fingerprint256.replaceAll(':', '').toLowerCase()
      // Text between PEM blocks says nothing (RFC 7468, 2).
      const padding =
        paddingBytes === 0
          ? ''
          : `${randomBytes(paddingBytes / 2)
              .toString('hex')
              .replace(/.{64}/g, '$&\n')}\n`
      pems.set(fingerprint, `${padding}${chain.trim()}\n${key.trim()}\n`)
      return { name, fingerprint }
    },
    certificates: (own, others) => ({
      own,
      others,
      readPem: async ({ fingerprint }) => pems.get(fingerprint) ?? null,
    }),
  }
}

export interface Handshake {
  protocol: string | null
  alpn: string | false | null
  fingerprint: string
}

/** What the edge shows whoever asks for this name; none asked for where it is null. */
export function handshake(
  port: number,
  name: string | null,
  { alpn = ['h2', 'http/1.1'], maxVersion }: { alpn?: string[]; maxVersion?: 'TLSv1.1' | 'TLSv1.2' } = {},
): Promise<Handshake> {
  const { promise, resolve, reject } = Promise.withResolvers<Handshake>()
  const socket = connect(
    {
      ...{ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: alpn },
      ...(name === null ? {} : { servername: name }),
      ...(maxVersion === undefined
        ? {}
        : { maxVersion, minVersion: 'TLSv1' as const, ciphers: 'DEFAULT@SECLEVEL=0' }),
    },
    () => {
      const { fingerprint256 } = socket.getPeerCertificate()
      resolve({
        protocol: socket.getProtocol(),
        alpn: socket.alpnProtocol,
        fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
      })
      socket.destroy()
    },
  )
  socket.on('error', reject)
  return promise
}

/** One request by HTTPS, from a client that trusts this authority alone. */
export function getSecurely(
  port: number,
  host: string,
  {
    ca,
    path = '/',
    method = 'GET',
    headers = {},
  }: { ca: string; path?: string; method?: string; headers?: Record<string, string> },
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const servername = host.replace(/:\d+$/, '')
  request(
    { host: '127.0.0.1', port, path, method, ca, servername, agent: false, headers: { host, ...headers } },
    (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    },
  )
    .on('error', reject)
    .end()
  return promise
}

/** A kept HTTP/2 connection. */
export function openHttp2(port: number, host: string, ca: string) {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, servername: host })
  session.on('error', () => {})
  return {
    session,
    get(path = '/'): Promise<string> {
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      const stream = session.request({ ':path': path, ':authority': host })
      let text = ''
      stream.setEncoding('utf8')
      stream.on('data', (chunk) => {
        text += chunk
      })
      stream.on('end', () => resolve(text)).on('error', reject)
      stream.end()
      return promise
    },
  }
}

/** One HTTP/1.1 connection over TLS, kept from request to request. */
export function openKept(port: number, host: string, ca: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    close: () => agent.destroy(),
    /** `isSame`: over the connection of the request before. */
    get(): Promise<{ body: string; isSame: boolean }> {
      const { promise, resolve, reject } = Promise.withResolvers<{ body: string; isSame: boolean }>()
      const sent = request(
        { host: '127.0.0.1', port, ca, servername: host, agent, headers: { host } },
        (response) => {
          let body = ''
          response.setEncoding('utf8')
          response.on('data', (chunk) => {
            body += chunk
          })
          response.on('end', () => resolve({ body, isSame: sent.reusedSocket })).on('error', reject)
        },
      )
      sent.on('error', reject).end()
      return promise
    },
  }
}
