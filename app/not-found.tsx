import type { Metadata } from 'next'
import { useTranslations } from 'next-intl'
import { getTranslations } from 'next-intl/server'
import { ButtonLink } from './_ui/button.tsx'
import { LogoMark } from './_ui/logo.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('notFound')
  return { title: t('title') }
}

export default function NotFound() {
  const t = useTranslations('notFound')
  return (
    <main className="grid min-h-[70dvh] place-items-center px-6">
      <div className="max-w-sm text-center">
        <LogoMark className="mx-auto size-10" />
        <h1 className="mt-5 font-semibold text-xl tracking-tight">{t('title')}</h1>
        <p className="mt-2 text-muted">{t('description')}</p>
        <ButtonLink href="/" tone="primary" className="mt-6">
          {t('home')}
        </ButtonLink>
      </div>
    </main>
  )
}
