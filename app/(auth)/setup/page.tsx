import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { checkSetupToken, firstTeamName } from '@/platform/setup.ts'
import { getPlatform } from '../../_server/platform.ts'
import { ButtonLink } from '../../_ui/button.tsx'
import { Card } from '../../_ui/card.tsx'
import { SetupForm } from './setup-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('setup')
  // The link must not travel on to other sites.
  return { title: t('title'), referrer: 'no-referrer' }
}

export default async function SetupPage({ searchParams }: PageProps<'/setup'>) {
  const { token } = await searchParams
  const given = typeof token === 'string' ? token : ''
  const platform = await getPlatform()
  const [state, t] = await Promise.all([checkSetupToken(platform, given), getTranslations('setup')])
  if (state !== 'valid') {
    return (
      <Card className="p-6 sm:p-7">
        <h1 className="font-semibold text-xl tracking-tight">{t(`${state}Title`)}</h1>
        <p className="mt-1 text-muted">{t(`${state}Description`)}</p>
        {state === 'claimed' ? (
          <ButtonLink href="/sign-in" tone="primary" className="mt-6 w-full">
            {t('signIn')}
          </ButtonLink>
        ) : (
          <pre className="mt-5 rounded-lg bg-sunken px-3.5 py-2.5 font-mono text-[13px]">./berth up</pre>
        )}
      </Card>
    )
  }
  return (
    <Card className="p-6 sm:p-7">
      <h1 className="font-semibold text-xl tracking-tight">{t('title')}</h1>
      <p className="mt-1 mb-6 text-muted">{t('description')}</p>
      <SetupForm token={given} teamName={await firstTeamName(platform)} />
    </Card>
  )
}
