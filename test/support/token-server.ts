/** A token server and a registry that believes it: tokens are for scopes, and end when they are said to. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { type HostileRegistry, serve } from './hostile-registry.ts'

export interface TokenServer extends HostileRegistry {
  /** What was asked: query or form, with the method and the credentials in front. */
  asked: string[]
  /** Lets a request pass, or answers it with a challenge; true when it may pass. */
  admits(request: IncomingMessage, response: ServerResponse, scope: string): boolean
}

export interface TokenServerOptions {
  /** Tokens are honoured for so long. */
  livesMs?: number
  /** What the server says about that; default the truth. */
  saysSeconds?: number
  /** Scopes that are given, whatever was asked for; default what was asked for. */
  gives?: (asked: string[]) => string[]
  /** Fields besides the token. */
  adds?: (form: URLSearchParams) => Record<string, unknown>
  status?: number
}

export async function startTokenServer(options: TokenServerOptions = {}): Promise<TokenServer> {
  const { livesMs = 60_000, saysSeconds = livesMs / 1_000 } = options
  const issued = new Map<string, { scopes: string[]; endsAtMs: number }>()
  const asked: string[] = []
  const server = await serve(async (request, response) => {
    const form = new URLSearchParams(
      request.method === 'POST' ? await text(request) : new URL(request.url ?? '', 'http://x').search,
    )
    asked.push(`${request.method} ${request.headers.authorization ?? '-'} ${form}`)
    if (options.status !== undefined) return void response.writeHead(options.status).end()
    const wanted = request.method === 'POST' ? (form.get('scope') ?? '').split(' ') : form.getAll('scope')
    const scopes = options.gives?.(wanted) ?? wanted
    const token = `token-${issued.size + 1}`
    issued.set(token, { scopes, endsAtMs: Date.now() + livesMs })
    response.end(JSON.stringify({ token, expires_in: saysSeconds, ...options.adds?.(form) }))
  })
  return {
    ...server,
    asked,
    admits(request, response, scope) {
      const token = issued.get(request.headers.authorization?.replace('Bearer ', '') ?? '')
      const isValid = token !== undefined && token.endsAtMs > Date.now()
      if (isValid && token.scopes.includes(scope)) return true
      const error = isValid ? `,error="insufficient_scope"` : ''
      response
        .writeHead(401, {
          'www-authenticate': `Bearer realm="http://${server.host}/token",service="here",scope="${scope}"${error}`,
        })
        .end()
      return false
    },
  }
}
