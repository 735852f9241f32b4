/** `berth login`, `berth logout`: a token of a person's or a team's, kept for the commands that follow. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { clientOf, findLogin, forgetLogin, keepLogin, loginFile, originOf } from '../client.ts'
import { CommandError, say } from '../say.ts'

interface Me {
  kind: string
  user: { name: string; email: string } | null
  token: { role: string } | null
}

/** Asks for the token, or reads it from standard input; keeps it once the API has taken it. */
export async function login(address: string, { tokenStdin }: { tokenStdin?: boolean }): Promise<void> {
  const url = originOf(address)
  const token = (tokenStdin ? await text(process.stdin) : await askToken(url)).trim()
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new CommandError('That is no token: make one on your account page or in a team’s settings.')
  const me = await clientOf({ url, token }).get<Me>('/me')
  keepLogin({ url, token })
  say(`Signed in to ${url} as ${whoIs(me)}. The token is in ${loginFile()}.`)
}

export function logout(): void {
  say(
    forgetLogin()
      ? 'The token is forgotten here. It works on until it is revoked.'
      : 'You are not signed in.',
  )
}

/** Who the token speaks for. */
export async function whoami(options: { url?: string }): Promise<void> {
  const found = findLogin(options)
  say(`${whoIs(await clientOf(found).get<Me>('/me'))} at ${found.url}`)
}

function whoIs({ kind, user, token }: Me): string {
  if (user !== null) return `${user.name} <${user.email}>`
  return token === null ? kind : `a team's token (${token.role})`
}

/** On a terminal what is typed is not shown. */
async function askToken(url: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new CommandError(
      'There is no terminal to ask on: give the token with --token-stdin, or set BERTH_TOKEN.',
    )
  say(`Make a token at ${url}/account, and paste it here:`)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    for await (const line of lines) return line
    throw new CommandError('No token was given.')
  } finally {
    lines.close()
  }
}
