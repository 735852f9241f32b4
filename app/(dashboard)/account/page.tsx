import { Trash2 } from 'lucide-react'
import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { scopeActions } from '@/platform/token-scope.ts'
import { listTokens } from '@/platform/tokens.ts'
import { enter, loadDeletedTeams, loadOpenTeams, loadTeams, loadUser } from '../../_shell/load.ts'
import { CreateTokenButton } from '../../_tokens/create-token-button.client.tsx'
import { loadPlaces } from '../../_tokens/load-places.ts'
import { TokenRows } from '../../_tokens/token-rows.tsx'
import { ButtonLink } from '../../_ui/button.tsx'
import { Card, CardHeader } from '../../_ui/card.tsx'
import { Notice } from '../../_ui/notice.tsx'
import { PageHeader } from '../../_ui/page-header.tsx'
import { RowsSkeleton } from '../../_ui/skeleton.tsx'
import { EndOthersButton } from './end-session-button.client.tsx'
import { IdentitiesCard } from './identities-card.tsx'
import { PasswordForm } from './password-form.client.tsx'
import { Preferences } from './preferences.client.tsx'
import { Sessions } from './sessions.tsx'
import { TwoFactorCard } from './two-factor-card.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('account')
  return { title: t('title') }
}

export default async function AccountPage({ searchParams }: PageProps<'/account'>) {
  const [t, tPages, tFactor, user, teams, all, deleted, asked] = await Promise.all([
    getTranslations('account'),
    getTranslations('teamPages'),
    getTranslations('twoFactor'),
    loadUser(),
    loadOpenTeams(),
    loadTeams(),
    loadDeletedTeams(),
    searchParams,
  ])
  const closed = user.hasTwoFactor ? undefined : all.find(({ slug }) => slug === asked.team)
  // Of more teams the token form knows the names by the API alone.
  const places = await Promise.all(teams.slice(0, 20).map(loadPlaces))
  return (
    <div className="max-w-2xl">
      <PageHeader
        title={t('title')}
        actions={
          deleted.length > 0 && (
            <ButtonLink href="/account/deleted-teams">
              <Trash2 aria-hidden />
              {tPages('deletedTeams')}
            </ButtonLink>
          )
        }
      />
      <div className="space-y-5">
        {closed?.requiresTwoFactor && (
          <>
            <Notice tone="warning">{tFactor('needed', { team: closed.name })}</Notice>
            <TwoFactorCard />
          </>
        )}
        <Card>
          <CardHeader title={t('profile')} />
          <dl className="grid gap-x-6 gap-y-3 p-5 sm:grid-cols-2">
            <div>
              <dt className="text-muted text-xs">{t('name')}</dt>
              <dd className="font-medium">{user.name}</dd>
            </div>
            <div>
              <dt className="text-muted text-xs">{t('email')}</dt>
              <dd className="break-words font-medium">{user.email}</dd>
            </div>
          </dl>
        </Card>
        <Card>
          <CardHeader title={t('preferences')} />
          <div className="p-5">
            <Preferences />
          </div>
        </Card>
        <Card>
          <CardHeader title={t('password')} description={t('passwordDescription')} />
          <div className="p-5">
            <PasswordForm />
          </div>
        </Card>
        {!closed?.requiresTwoFactor && (
          <Suspense fallback={<RowsSkeleton rows={1} />}>
            <TwoFactorCard />
          </Suspense>
        )}
        <Suspense fallback={<RowsSkeleton rows={1} />}>
          <IdentitiesCard said={asked} />
        </Suspense>
        <Card aria-labelledby="sessions">
          <CardHeader
            titleId="sessions"
            title={t('sessions')}
            description={t('sessionsDescription')}
            actions={<EndOthersButton />}
          />
          <div className="mt-4 border-t">
            <Suspense fallback={<RowsSkeleton rows={1} />}>
              <Sessions />
            </Suspense>
          </div>
        </Card>
        <Card aria-labelledby="tokens">
          <CardHeader
            titleId="tokens"
            title={t('tokens')}
            description={t('tokensDescription')}
            actions={<CreateTokenButton teams={places} isOfTeam={false} actions={scopeActions} />}
          />
          <div className="mt-4 border-t">
            <Suspense fallback={<RowsSkeleton rows={1} />}>
              <Tokens />
            </Suspense>
          </div>
        </Card>
      </div>
    </div>
  )
}

async function Tokens() {
  const { platform, viewer } = await enter()
  const [teams, { data }] = await Promise.all([loadTeams(), listTokens(platform, viewer, { limit: 100 })])
  return <TokenRows tokens={data} teams={teams} />
}
