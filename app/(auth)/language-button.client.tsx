'use client'

import { Languages } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useLocale, useTranslations } from 'next-intl'
import { useTransition } from 'react'
import { chooseLocaleAction } from '../_actions/account.ts'
import { localeNames, locales } from '../_i18n/locales.ts'
import { buttonStyle } from '../_ui/button.tsx'
import { MenuButton, MenuChoice } from '../_ui/menu.client.tsx'

export function LanguageButton() {
  const t = useTranslations('shell')
  const locale = useLocale()
  const router = useRouter()
  const [, start] = useTransition()
  return (
    <MenuButton
      triggerClassName={buttonStyle({ tone: 'ghost', size: 'small' })}
      trigger={
        <>
          <Languages aria-hidden />
          {localeNames[locale]}
        </>
      }
    >
      <MenuChoice
        label={t('language')}
        value={locale}
        onValueChange={(chosen) =>
          start(async () => {
            await chooseLocaleAction(chosen)
            router.refresh()
          })
        }
        options={locales.map((value) => ({ value, label: localeNames[value] }))}
      />
    </MenuButton>
  )
}
