import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { isMailOn } from '@/platform/mail/account.ts'
import { askResetAction } from '../../_actions/reset.ts'
import { getPlatform } from '../../_server/platform.ts'
import { getViewer } from '../../_server/session.ts'
import { ButtonLink } from '../../_ui/button.tsx'
import { Card } from '../../_ui/card.tsx'
import { Notice } from '../../_ui/notice.tsx'
import { AskLinkForm } from '../ask-link-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('reset')
  return { title: t('forgotTitle') }
}

export default async function ForgotPage() {
  // Asked first: it tells Next.js that this page is another one for each request.
  await getViewer()
  const [platform, t] = await Promise.all([getPlatform(), getTranslations('reset')])
  const canSend = await isMailOn(platform)
  return (
    <Card className="p-6 sm:p-7">
      {canSend ? (
        <AskLinkForm
          title={t('forgotTitle')}
          description={t('forgotDescription')}
          words="reset"
          ask={askResetAction}
        />
      ) : (
        <>
          <h1 className="mb-4 font-semibold text-xl tracking-tight">{t('forgotTitle')}</h1>
          <Notice tone="info">{t('noMail')}</Notice>
        </>
      )}
      <ButtonLink href="/sign-in" tone="ghost" className="mt-3 w-full">
        {t('back')}
      </ButtonLink>
    </Card>
  )
}
