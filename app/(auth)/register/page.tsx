import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { checkRegisterLink, isRegistrationOpen } from '@/platform/sign-in/registration.ts'
import { askRegistrationAction } from '../../_actions/sign-in.ts'
import { getPlatform } from '../../_server/platform.ts'
import { getViewer } from '../../_server/session.ts'
import { ButtonLink } from '../../_ui/button.tsx'
import { Card } from '../../_ui/card.tsx'
import { Notice } from '../../_ui/notice.tsx'
import { AskLinkForm } from '../ask-link-form.client.tsx'
import { RegisterForm } from './register-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('register')
  // The link must not travel on to other sites.
  return { title: t('title'), referrer: 'no-referrer' }
}

/** Asks for a link; with one, makes the account. */
export default async function RegisterPage({ searchParams }: PageProps<'/register'>) {
  const [{ token }, viewer, platform, t] = await Promise.all([
    searchParams,
    getViewer(),
    getPlatform(),
    getTranslations('register'),
  ])
  if (viewer !== null) redirect('/')
  if (typeof token === 'string') {
    const link = await checkRegisterLink(platform, token)
    return (
      <Card className="p-6 sm:p-7">
        {link === null ? (
          <>
            <h1 className="font-semibold text-xl tracking-tight">{t('goneTitle')}</h1>
            <p className="mt-1 text-muted">{t('goneDescription')}</p>
            <ButtonLink href="/register" className="mt-6 w-full">
              {t('again')}
            </ButtonLink>
          </>
        ) : (
          <RegisterForm token={token} email={link.email} />
        )}
      </Card>
    )
  }
  return (
    <Card className="p-6 sm:p-7">
      {(await isRegistrationOpen(platform)) ? (
        <AskLinkForm
          title={t('title')}
          description={t('description')}
          words="register"
          ask={askRegistrationAction}
        />
      ) : (
        <>
          <h1 className="mb-4 font-semibold text-xl tracking-tight">{t('title')}</h1>
          <Notice tone="info">{t('closed')}</Notice>
        </>
      )}
      <ButtonLink href="/sign-in" tone="ghost" className="mt-3 w-full">
        {t('back')}
      </ButtonLink>
    </Card>
  )
}
