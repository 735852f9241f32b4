import type { NextRequest } from 'next/server'
import NextAuth from 'next-auth'
import { withRequestOrigin } from '../../../../platform/request-origin.ts'
import { authOptions } from '../../../_server/auth.ts'
import { requestOrigin } from '../../../_server/client-address.ts'
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
  const response: Response = await withRequestOrigin(requestOrigin(request.headers), () =>
    NextAuth(request, context, authOptions(platform, exchange)),
  )
  for (const cookie of exchange.setCookies) response.headers.append('set-cookie', cookie)
  return response
}

export { handle as GET, handle as POST }
