import { cookies, headers } from 'next/headers'
import { getRequestConfig } from 'next-intl/server'
import en from '../_messages/en.json'
import zhCN from '../_messages/zh-CN.json'
import { isLocale, localeCookie, localeFromHeader } from './locales.ts'

const messages = { en, 'zh-CN': zhCN }

/** The language of each request: the one that was chosen, else the browser's. Addresses carry none. */
export default getRequestConfig(async () => {
  const chosen = (await cookies()).get(localeCookie)?.value
  const locale = isLocale(chosen) ? chosen : localeFromHeader((await headers()).get('accept-language'))
  return { locale, messages: messages[locale], now: new Date(), timeZone: 'UTC' }
})
