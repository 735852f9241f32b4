import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { safeNext } from '../../_server/safe-next.ts'
import { getViewer } from '../../_server/session.ts'
import { Card } from '../../_ui/card.tsx'
import { SignInForm } from './sign-in-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('signIn')
  return { title: t('title') }
}

export default async function SignInPage({ searchParams }: PageProps<'/sign-in'>) {
  const [{ next, callbackUrl }, viewer, t] = await Promise.all([
    searchParams,
    getViewer(),
    getTranslations('signIn'),
  ])
  const asked = next ?? callbackUrl
  const target = safeNext(typeof asked === 'string' ? asked : null)
  if (viewer !== null) redirect(target)
  return (
    <Card className="p-6 sm:p-7">
      <h1 className="font-semibold text-xl tracking-tight">{t('title')}</h1>
      <p className="mt-1 mb-6 text-muted">{t('description')}</p>
      <SignInForm next={target} />
    </Card>
  )
}
