import type { MailAccount } from './account.ts'

/** One letter, in plain text. */
export interface Letter {
  /** The same at every attempt, so that a reader that gets a letter twice shows it once. */
  id: string
  to: string
  subject: string
  text: string
}

const connectMs = 10_000
const silenceMs = 15_000
const wholeMs = 30_000

/** The server did not take a letter. `message` is a sentence with the server's own words, and no secret in it. */
export class MailFailure extends Error {
  override readonly name = 'MailFailure'
  /** Whether the same letter may go another time: the server is away, or says so itself. */
  readonly isTemporary: boolean

  constructor(message: string, options: { isTemporary: boolean; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.isTemporary = options.isTemporary
  }
}

/**
 * Sends one letter; answers with the server's own answer. Ends after 30 s at the latest, or with the signal. Throws
 * MailFailure. RFC 5321 says which codes are for ever (5xx) and which for now (4xx).
 */
export async function sendLetter(
  account: MailAccount,
  letter: Letter,
  signal?: AbortSignal,
): Promise<string> {
  requireOneLine(letter.to, letter.subject, letter.id)
  const { host, port, security, user, password, authority } = account
  // For those alone who send letters.
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    ...{ host, port },
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user === '' ? {} : { auth: { user, pass: password } }),
    ...(authority === '' ? {} : { tls: { ca: [...(await usualAuthorities()), authority] } }),
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    dnsTimeout: connectMs,
    socketTimeout: silenceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const limit = AbortSignal.any([AbortSignal.timeout(wholeMs), ...(signal === undefined ? [] : [signal])])
  const cut = Promise.withResolvers<never>()
  const onAbort = () => cut.reject(new Error(`it took longer than ${wholeMs / 1_000} s`))
  limit.addEventListener('abort', onAbort)
  try {
    const sending = transport.sendMail({
      // As objects: an address in a text could be read as several.
      from: { name: account.fromName, address: account.from },
      to: { name: '', address: letter.to },
      subject: letter.subject,
      text: letter.text,
      messageId: `<${letter.id}@${account.from.split('@').at(-1)}>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
    const { response } = await Promise.race([sending, cut.promise])
    return oneLine(response)
  } catch (error) {
    throw explain(account, error)
  } finally {
    limit.removeEventListener('abort', onAbort)
    transport.close()
  }
}

/** A line end would begin another header. Nothing that gets here has one; this holds when something does. */
function requireOneLine(...texts: string[]): void {
  if (texts.every((text) => !/[\p{Cc}\u2028\u2029]/u.test(text))) return
  throw new MailFailure('The letter was not sent: its address or subject has a line end in it.', {
    isTemporary: false,
  })
}

async function usualAuthorities(): Promise<readonly string[]> {
  const { rootCertificates } = await import('node:tls')
  return rootCertificates
}

interface SmtpError {
  code?: unknown
  responseCode?: unknown
  response?: unknown
  command?: unknown
  message: string
}

function explain({ host, port, security }: MailAccount, error: unknown): MailFailure {
  const failed = (error instanceof Error ? error : new Error(String(error))) as SmtpError
  const where = `${host}:${port}`
  if (typeof failed.response === 'string' && typeof failed.responseCode === 'number') {
    const answer = oneLine(failed.response)
    // What is wrong with the settings can be mended, and then the letter goes.
    const isAboutTheLetter = failed.command === 'RCPT TO' || failed.code === 'EMESSAGE'
    const what = failed.code === 'ETLS' ? 'does not begin TLS (STARTTLS). It answered' : 'answered'
    return new MailFailure(`${where} ${what}: ${answer}`, {
      isTemporary: failed.responseCode < 500 || !isAboutTheLetter,
      cause: error,
    })
  }
  const hint =
    /wrong version number|packet length too long/i.test(failed.message) && security === 'tls'
      ? ' The server may want STARTTLS.'
      : ''
  return new MailFailure(`${where} could not be used: ${oneLine(failed.message)}.${hint}`, {
    isTemporary: true,
    cause: error,
  })
}

function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 500)
}
