'use client'

import { useRouter } from 'next/navigation'
import { useLocale, useTranslations } from 'next-intl'
import { useTheme } from 'next-themes'
import { useSyncExternalStore, useTransition } from 'react'
import { chooseLocaleAction } from '../../_actions/account.ts'
import { localeNames, locales } from '../../_i18n/locales.ts'
import { SelectField } from '../../_ui/select.client.tsx'

const nothing = () => () => {}

export function Preferences() {
  const t = useTranslations('shell')
  const tTheme = useTranslations('theme')
  const locale = useLocale()
  const router = useRouter()
  const { theme, setTheme } = useTheme()
  const [, start] = useTransition()
  // The server doesn't know the browser's choice; showing it at once would differ from what the server drew.
  const inBrowser = useSyncExternalStore(
    nothing,
    () => true,
    () => false,
  )
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <SelectField
        label={t('language')}
        value={locale}
        onValueChange={(chosen) =>
          start(async () => {
            await chooseLocaleAction(chosen)
            router.refresh()
          })
        }
        items={locales.map((value) => ({ value, label: localeNames[value] }))}
      />
      <SelectField
        label={tTheme('label')}
        value={inBrowser ? (theme ?? 'system') : 'system'}
        onValueChange={setTheme}
        items={(['system', 'light', 'dark'] as const).map((value) => ({ value, label: tTheme(value) }))}
      />
    </div>
  )
}
