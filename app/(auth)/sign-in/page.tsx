import type { Metadata } from 'next'
import Link from 'next/link'
import { redirect } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { listSignInWays } from '@/platform/sign-in/providers.ts'
import { isRegistrationOpen } from '@/platform/sign-in/registration.ts'
import { getPlatform } from '../../_server/platform.ts'
import { safeNext } from '../../_server/safe-next.ts'
import { getViewer } from '../../_server/session.ts'
import { Card } from '../../_ui/card.tsx'
import { ProviderButtons } from './provider-buttons.client.tsx'
import { SignInForm } from './sign-in-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('signIn')
  return { title: t('title') }
}

export default async function SignInPage({ searchParams }: PageProps<'/sign-in'>) {
  const [{ next, callbackUrl, error, step }, viewer, t] = await Promise.all([
    searchParams,
    getViewer(),
    getTranslations('signIn'),
  ])
  const asked = next ?? callbackUrl
  const target = safeNext(typeof asked === 'string' ? asked : null)
  // Who is signed in wanted to link an identity.
  if (viewer !== null) redirect(error === undefined ? target : '/account?error=unavailable')
  const platform = await getPlatform()
  const [ways, canRegister] = await Promise.all([listSignInWays(platform), isRegistrationOpen(platform)])
  const word = errorWords.find((known) => known === error) ?? (error === undefined ? null : 'failed')
  return (
    <Card className="p-6 sm:p-7">
      <h1 className="font-semibold text-xl tracking-tight">{t('title')}</h1>
      <p className="mt-1 mb-6 text-muted">{t('description')}</p>
      <SignInForm
        next={target}
        beginsWithCode={step === 'code'}
        said={word === null ? null : t(`error.${word}`)}
      />
      {ways.length > 0 && step !== 'code' && (
        <ProviderButtons
          providers={ways.map(({ id, name }) => ({ id, name }))}
          next={target}
          site={new URL(platform.config.publicUrl).origin}
        />
      )}
      {canRegister && (
        <p className="mt-5 border-t pt-4 text-center text-sm">
          <Link href="/register" className="underline underline-offset-4">
            {t('register')}
          </Link>
        </p>
      )}
    </Card>
  )
}

/** Those that lead here with a word: auth.ts and the route beside it. Any other is next-auth's own. */
const errorWords = [
  'email-unverified',
  'account-exists',
  'registration-closed',
  'suspended',
  'identity-taken',
  'provider-unavailable',
  'provider-gone',
  'unavailable',
] as const
