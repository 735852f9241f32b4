'use client'

import { useTranslations } from 'next-intl'
import { Button } from './button.tsx'
import { LogoMark } from './logo.tsx'

export interface ErrorCardProps {
  error: Error & { digest?: string }
  retry: () => void
}

/** In place of a page that could not be made; the digest is in the web app's log too. */
export function ErrorCard({ error, retry }: ErrorCardProps) {
  const t = useTranslations('errorPage')
  return (
    <div className="grid min-h-[70dvh] place-items-center px-6">
      <div className="max-w-sm text-center" role="alert">
        <LogoMark className="mx-auto size-10" />
        <h1 className="mt-5 font-semibold text-xl tracking-tight">{t('title')}</h1>
        <p className="mt-2 text-muted">{t('description')}</p>
        {error.digest !== undefined && <p className="mt-2 font-mono text-muted text-xs">{error.digest}</p>}
        <Button tone="primary" className="mt-6" onClick={retry}>
          {t('retry')}
        </Button>
      </div>
    </div>
  )
}
