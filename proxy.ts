import { type NextRequest, NextResponse } from 'next/server'

/** Tells pages which address was asked for, so that sign-in can lead back to it. */
export function proxy(request: NextRequest): NextResponse {
  const headers = new Headers(request.headers)
  headers.set('x-berth-path', `${request.nextUrl.pathname}${request.nextUrl.search}`)
  return NextResponse.next({ request: { headers } })
}

export const config = { matcher: ['/((?!api|_next|icon|v2).*)'] }
