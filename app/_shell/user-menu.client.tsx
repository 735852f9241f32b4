'use client'

import { ChevronsUpDown, LogOut, Monitor, Moon, Sun, User } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { signOut } from 'next-auth/react'
import { useLocale, useTranslations } from 'next-intl'
import { useTheme } from 'next-themes'
import { useTransition } from 'react'
import { chooseLocaleAction } from '../_actions/account.ts'
import { localeNames, locales } from '../_i18n/locales.ts'
import { MenuButton, MenuChoice, MenuItem, MenuLink, MenuSeparator } from '../_ui/menu.client.tsx'

export function UserMenu({ name, email }: { name: string; email: string }) {
  const t = useTranslations('shell')
  const tTheme = useTranslations('theme')
  const locale = useLocale()
  const router = useRouter()
  const { theme = 'system', setTheme } = useTheme()
  const [, start] = useTransition()

  const chooseLocale = (chosen: string) =>
    start(async () => {
      await chooseLocaleAction(chosen)
      router.refresh()
    })

  return (
    <MenuButton
      align="start"
      side="top"
      className="w-54"
      label={t('userMenu', { name })}
      triggerClassName="flex w-full items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-left hover:bg-border/60"
      trigger={
        <>
          <span
            aria-hidden
            className="grid size-7 shrink-0 place-items-center rounded-full bg-foreground font-medium text-background text-xs uppercase"
          >
            {Array.from(name)[0]}
          </span>
          <span className="min-w-0 flex-1 leading-tight">
            <span className="block truncate font-medium">{name}</span>
            <span className="block truncate text-muted text-xs">{email}</span>
          </span>
          <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-muted" />
        </>
      }
    >
      <MenuLink href="/account">
        <User aria-hidden />
        {t('account')}
      </MenuLink>
      <MenuSeparator />
      <MenuChoice
        label={tTheme('label')}
        value={theme}
        onValueChange={setTheme}
        options={[
          { value: 'system', label: tTheme('system'), icon: <Monitor aria-hidden /> },
          { value: 'light', label: tTheme('light'), icon: <Sun aria-hidden /> },
          { value: 'dark', label: tTheme('dark'), icon: <Moon aria-hidden /> },
        ]}
      />
      <MenuSeparator />
      <MenuChoice
        label={t('language')}
        value={locale}
        onValueChange={chooseLocale}
        options={locales.map((value) => ({ value, label: localeNames[value] }))}
      />
      <MenuSeparator />
      <MenuItem onClick={() => signOut({ callbackUrl: '/sign-in' })}>
        <LogOut aria-hidden />
        {t('signOut')}
      </MenuItem>
    </MenuButton>
  )
}
