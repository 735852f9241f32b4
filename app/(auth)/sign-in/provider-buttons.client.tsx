'use client'

import { LogIn } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useTransition } from 'react'
import { Button } from '../../_ui/button.tsx'
import { leaveFor } from '../open-session.ts'

interface ProviderButtonsProps {
  providers: { id: string; name: string }[]
  next: string
  /** Where providers lead back to. A browser that came by another name of this machine goes there first. */
  site: string
}

export function ProviderButtons({ providers, next, site }: ProviderButtonsProps) {
  const t = useTranslations('signIn')
  const [pending, start] = useTransition()
  return (
    <div className="mt-5 space-y-2">
      <p className="flex items-center gap-3 pb-1 text-muted text-xs before:h-px before:flex-1 before:bg-border after:h-px after:flex-1 after:bg-border">
        {t('or')}
      </p>
      {providers.map(({ id, name }) => (
        <Button
          key={id}
          className="w-full"
          pending={pending}
          onClick={() =>
            start(async () => {
              if (window.location.origin === site)
                await leaveFor(id, next).catch(() => window.location.assign('/sign-in?error=unavailable'))
              else window.location.assign(`${site}/sign-in?next=${encodeURIComponent(next)}`)
            })
          }
        >
          <LogIn aria-hidden />
          <span className="truncate">{t('with', { name })}</span>
        </Button>
      ))}
    </div>
  )
}
