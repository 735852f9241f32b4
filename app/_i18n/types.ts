import type en from '../_messages/en.json'
import type { Locale } from './locales.ts'

/** Makes an unknown message key, or a forgotten placeholder, a type error. */
declare module 'next-intl' {
  interface AppConfig {
    Locale: Locale
    Messages: typeof en
  }
}
