import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { readInvitation } from '@/platform/invitations.ts'
import { listSignInWays } from '@/platform/sign-in/providers.ts'
import { getUser } from '@/platform/users.ts'
import { getPlatform } from '../../_server/platform.ts'
import { getViewer } from '../../_server/session.ts'
import { ButtonLink } from '../../_ui/button.tsx'
import { Card } from '../../_ui/card.tsx'
import { ProviderButtons } from '../sign-in/provider-buttons.client.tsx'
import { AcceptButton } from './accept-button.client.tsx'
import { JoinForm } from './join-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('join')
  // The link must not travel on to other sites.
  return { title: t('title'), referrer: 'no-referrer' }
}

/** Where the link of an invitation leads. */
export default async function JoinPage({ searchParams }: PageProps<'/join'>) {
  const { token } = await searchParams
  const given = typeof token === 'string' ? token : ''
  const [platform, viewer, t] = await Promise.all([getPlatform(), getViewer(), getTranslations('join')])
  const invitation = await readInvitation(platform, given)
  if (invitation === null) {
    return (
      <Card className="p-6 sm:p-7">
        <h1 className="font-semibold text-xl tracking-tight">{t('goneTitle')}</h1>
        <p className="mt-1 text-muted">{t('goneDescription')}</p>
        <ButtonLink href="/" className="mt-6 w-full">
          {t('home')}
        </ButtonLink>
      </Card>
    )
  }
  const { teamName, email, invitedBy, hasAccount } = invitation
  const user = viewer === null ? null : await getUser(platform, viewer)
  const here = `/join?token=${encodeURIComponent(given)}`
  const ways = user === null && !hasAccount ? await listSignInWays(platform) : []
  return (
    <Card className="p-6 sm:p-7">
      <h1 className="font-semibold text-xl tracking-tight">{t('heading', { team: teamName })}</h1>
      <p className="mt-1 mb-6 text-muted">{t('description', { name: invitedBy, email })}</p>
      {user === null ? (
        hasAccount ? (
          <ButtonLink href={`/sign-in?next=${encodeURIComponent(here)}`} tone="primary" className="w-full">
            {t('signIn')}
          </ButtonLink>
        ) : (
          <JoinForm token={given} email={email} />
        )
      ) : (
        <AcceptButton token={given} asWhom={user.email === email ? null : user.email} />
      )}
      {ways.length > 0 && (
        <ProviderButtons
          providers={ways.map(({ id, name }) => ({ id, name }))}
          next={here}
          site={new URL(platform.config.publicUrl).origin}
        />
      )}
    </Card>
  )
}
