import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { checkResetLink } from '@/platform/reset-password.ts'
import { getPlatform } from '../../_server/platform.ts'
import { ButtonLink } from '../../_ui/button.tsx'
import { Card } from '../../_ui/card.tsx'
import { ResetForm } from './reset-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('reset')
  // The link must not travel on to other sites.
  return { title: t('title'), referrer: 'no-referrer' }
}

/** Where a link for a new password leads. */
export default async function ResetPage({ searchParams }: PageProps<'/reset'>) {
  const { token } = await searchParams
  const given = typeof token === 'string' ? token : ''
  const [platform, t] = await Promise.all([getPlatform(), getTranslations('reset')])
  const link = await checkResetLink(platform, given)
  return (
    <Card className="p-6 sm:p-7">
      {link === null ? (
        <>
          <h1 className="font-semibold text-xl tracking-tight">{t('goneTitle')}</h1>
          <p className="mt-1 text-muted">{t('goneDescription')}</p>
          <ButtonLink href="/forgot" className="mt-6 w-full">
            {t('again')}
          </ButtonLink>
        </>
      ) : (
        <ResetForm token={given} email={link.email} />
      )}
    </Card>
  )
}
