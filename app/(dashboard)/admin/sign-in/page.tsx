import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { readMail } from '@/platform/mail/settings.ts'
import { listProviders } from '@/platform/sign-in/providers.ts'
import { readRegistration } from '@/platform/sign-in/registration.ts'
import { enter, loadUser } from '../../../_shell/load.ts'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { MailForm } from './mail-form.client.tsx'
import { MailTest } from './mail-test.client.tsx'
import { ProviderList } from './provider-list.tsx'
import { RegistrationForm } from './registration-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('signInAdmin')
  return { title: t('title') }
}

/** Who may make an account, where people may sign in, and how letters are sent. */
export default async function SignInSettingsPage() {
  const { platform, viewer } = await enter()
  const [t, user, registration, providers, mail] = await Promise.all([
    getTranslations('signInAdmin'),
    loadUser(),
    readRegistration(platform, viewer),
    listProviders(platform, viewer),
    readMail(platform, viewer),
  ])
  return (
    <div className="max-w-2xl space-y-5">
      <Card aria-labelledby="registration">
        <CardHeader
          titleId="registration"
          title={t('registration')}
          description={t('registrationDescription')}
        />
        <div className="p-5">
          <RegistrationForm {...registration} hasMail={mail.server !== null} />
        </div>
      </Card>
      <ProviderList providers={providers} callbackBase={`${platform.config.publicUrl}/api/auth/callback/`} />
      <Card aria-labelledby="mail">
        <CardHeader titleId="mail" title={t('mail')} description={t('mailDescription')} />
        <div className="p-5">
          <MailForm server={mail.server} />
        </div>
        {mail.server !== null && <MailTest state={mail} to={user.email} />}
      </Card>
    </div>
  )
}
