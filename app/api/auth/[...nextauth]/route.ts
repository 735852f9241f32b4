import type { NextRequest } from 'next/server'
import NextAuth from 'next-auth'
import { authOptions } from '../../../_server/auth.ts'
import { openOAuth } from '../../../_server/open-oauth.ts'
import { getPlatform } from '../../../_server/platform.ts'
import { createExchange } from '../../../_server/sign-in-exchange.ts'

interface Context {
  params: Promise<{ nextauth: string[] }>
}

async function handle(request: NextRequest, context: Context): Promise<Response> {
  const platform = await getPlatform()
  const exchange = createExchange(
    platform.config,
    request.headers,
    (name) => request.cookies.get(name)?.value,
  )
  const oauth = await openOAuth(platform, (await context.params).nextauth)
  if (typeof oauth === 'string') return leadTo(request, `/sign-in?error=${oauth}`)
  const response: Response = await NextAuth(request, context, authOptions(platform, exchange, oauth))
  for (const cookie of exchange.setCookies) response.headers.append('set-cookie', cookie)
  return response
}

/** The sign-in page's script asks for an address to go to; a browser that comes back is sent there. */
function leadTo(request: NextRequest, path: string): Response {
  if (request.method === 'POST') return Response.json({ url: path })
  return new Response(null, { status: 302, headers: { location: path } })
}

export { handle as GET, handle as POST }
