'use client'

import { useTranslations } from 'next-intl'
import { Button } from './_ui/button.tsx'
import { LogoMark } from './_ui/logo.tsx'

export default function ErrorPage({
  error,
  retry,
}: {
  error: Error & { digest?: string }
  retry: () => void
}) {
  const t = useTranslations('errorPage')
  return (
    <main className="grid min-h-[70dvh] place-items-center px-6">
      <div className="max-w-sm text-center" role="alert">
        <LogoMark className="mx-auto size-10" />
        <h1 className="mt-5 font-semibold text-xl tracking-tight">{t('title')}</h1>
        <p className="mt-2 text-muted">{t('description')}</p>
        {error.digest !== undefined && <p className="mt-2 font-mono text-muted text-xs">{error.digest}</p>}
        <Button tone="primary" className="mt-6" onClick={retry}>
          {t('retry')}
        </Button>
      </div>
    </main>
  )
}
