import { useTranslations } from 'next-intl'
import { ButtonLink } from './button.tsx'
import { LogoMark } from './logo.tsx'

/** Says the same of what doesn't exist and of what isn't the reader's. */
export function NotFoundCard() {
  const t = useTranslations('notFound')
  return (
    <div className="grid min-h-[70dvh] place-items-center px-6">
      <div className="max-w-sm text-center">
        <LogoMark className="mx-auto size-10" />
        <h1 className="mt-5 font-semibold text-xl tracking-tight">{t('title')}</h1>
        <p className="mt-2 text-muted">{t('description')}</p>
        <ButtonLink href="/" tone="primary" className="mt-6">
          {t('home')}
        </ButtonLink>
      </div>
    </div>
  )
}
