import { cookies, headers } from 'next/headers'
import { getPlatform } from './platform.ts'
import { createExchange, type Exchange } from './sign-in-exchange.ts'

/** Of the request under way, in server actions: its answer's cookies are set by them in another way. */
export async function requestExchange(): Promise<Pick<Exchange, 'origin' | 'cookie'>> {
  const [{ config }, given, jar] = await Promise.all([getPlatform(), headers(), cookies()])
  return createExchange(config, given, (name) => jar.get(name)?.value)
}
