export const locales = ['en', 'zh-CN'] as const

export type Locale = (typeof locales)[number]

/** Each language in its own words. */
export const localeNames: Record<Locale, string> = { en: 'English', 'zh-CN': '简体中文' }

export const localeCookie = 'berth-locale'

export function isLocale(text: string | undefined): text is Locale {
  return locales.some((locale) => locale === text)
}

/** The first language of an Accept-Language header (RFC 9110, 12.5.4) that we speak; English where there is none. */
export function localeFromHeader(header: string | null): Locale {
  const wanted = (header ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';')
      const quality = parameters.find((parameter) => parameter.trim().startsWith('q='))
      return { tag, quality: quality === undefined ? 1 : Number(quality.trim().slice(2)) }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
  for (const { tag } of wanted) {
    if (tag === 'zh' || tag.startsWith('zh-')) return 'zh-CN'
    if (tag === 'en' || tag.startsWith('en-')) return 'en'
  }
  return 'en'
}
