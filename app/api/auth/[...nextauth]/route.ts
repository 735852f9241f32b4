import type { NextRequest } from 'next/server'
import NextAuth from 'next-auth'
import { authOptions } from '../../../_server/auth.ts'
import { getPlatform } from '../../../_server/platform.ts'

interface Context {
  params: Promise<{ nextauth: string[] }>
}

async function handle(request: NextRequest, context: Context): Promise<Response> {
  return NextAuth(request, context, authOptions(await getPlatform()))
}

export { handle as GET, handle as POST }
