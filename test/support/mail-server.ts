/** A real mail server on loopback. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface ReceivedMail {
  from: string
  to: string[]
  /** As it came: headers, an empty line, body. */
  raw: string
  /** Whether it came through TLS. */
  secure: boolean
}

export interface MailServer {
  readonly port: number
  readonly received: ReceivedMail[]
  /** How many said a user and a password. */
  readonly signIns: number
  /** What is said to the next letters in place of taking them, until it is null again. */
  refuse(answer: { code: number; text: string } | null): void
  /** Takes connections and says nothing. */
  stall(isStalled: boolean): void
  close(): Promise<void>
}

export interface MailServerOptions {
  port?: number
  user?: { name: string; password: string }
  /** Offers STARTTLS, or takes TLS alone from the first byte on. */
  tls?: { key: string; cert: string; implicit?: boolean }
}

export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { user, tls, port = 0 } = options
  const received: ReceivedMail[] = []
  let refusal: { code: number; text: string } | null = null
  let stalled = false
  let signIns = 0
  const refused = () => Object.assign(new Error(refusal?.text), { responseCode: refusal?.code })
  const settings: SMTPServerOptions = {
    authOptional: user === undefined,
    disabledCommands: [...(tls === undefined ? ['STARTTLS'] : []), ...(user === undefined ? ['AUTH'] : [])],
    disableReverseLookup: true,
    closeTimeout: 100,
    allowInsecureAuth: true,
    secure: tls?.implicit === true,
    ...(tls === undefined ? {} : { key: tls.key, cert: tls.cert }),
    onConnect(_session, done) {
      if (!stalled) done()
    },
    onAuth(auth, _session, done) {
      signIns++
      const right = auth.username === user?.name && auth.password === user?.password
      if (right) done(null, { user: auth.username })
      else done(new Error('5.7.8 Wrong user or password'))
    },
    onRcptTo(_address, _session, done) {
      done(refusal === null ? null : refused())
    },
    onData(stream, session, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(parts).toString('utf8'),
          secure: session.secure,
        })
        done(null, '2.0.0 Ok: taken as test-1')
      })
    },
  }
  const server = new SMTPServer(settings)
  server.on('error', () => undefined)
  server.listen(port, '127.0.0.1')
  await once(server.server, 'listening')
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    get signIns() {
      return signIns
    },
    refuse(answer) {
      refusal = answer
    },
    stall(isStalled) {
      stalled = isStalled
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** The text of a letter, as a reader shows it. */
export function textOf({ raw }: ReceivedMail): string {
  const [head = '', ...rest] = raw.split('\r\n\r\n')
  const body = rest.join('\r\n\r\n')
  if (/^content-transfer-encoding: base64/im.test(head)) return Buffer.from(body, 'base64').toString('utf8')
  if (!/^content-transfer-encoding: quoted-printable/im.test(head)) return body
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** Names and values of the headers, unfolded and in the order they came. */
export function headersOf({ raw }: ReceivedMail): [name: string, value: string][] {
  const [head = ''] = raw.split('\r\n\r\n')
  return head
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
}

/** The link in a letter that leads to a page, such as `reset`. */
export function linkIn(mail: ReceivedMail, page: string): string {
  const link = new RegExp(`https?://\\S+/${page}\\?token=[A-Za-z0-9]{40}`).exec(textOf(mail))?.[0]
  if (link === undefined) throw new Error(`the letter has no link to ${page}:\n${textOf(mail)}`)
  return link
}
