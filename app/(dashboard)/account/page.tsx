import { KeyRound } from 'lucide-react'
import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { Suspense } from 'react'
import { listTokens } from '@/platform/tokens.ts'
import { enter, loadTeams, loadUser } from '../../_shell/load.ts'
import { Badge } from '../../_ui/badge.tsx'
import { Card, CardHeader } from '../../_ui/card.tsx'
import { PageHeader } from '../../_ui/page-header.tsx'
import { RelativeTime } from '../../_ui/relative-time.client.tsx'
import { RowsSkeleton } from '../../_ui/skeleton.tsx'
import { CreateTokenButton } from './create-token-button.client.tsx'
import { EndOthersButton } from './end-session-button.client.tsx'
import { PasswordForm } from './password-form.client.tsx'
import { Preferences } from './preferences.client.tsx'
import { RevokeButton } from './revoke-button.client.tsx'
import { Sessions } from './sessions.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('account')
  return { title: t('title') }
}

export default async function AccountPage() {
  const [t, user, teams] = await Promise.all([getTranslations('account'), loadUser(), loadTeams()])
  return (
    <div className="mx-auto max-w-2xl">
      <PageHeader title={t('title')} />
      <div className="space-y-5">
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
            actions={<CreateTokenButton teams={teams.map(({ id, name }) => ({ id, name }))} />}
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
  const [t, tTeam, teams, { data }] = await Promise.all([
    getTranslations('account'),
    getTranslations('team'),
    loadTeams(),
    listTokens(platform, viewer, { limit: 100 }),
  ])
  if (data.length === 0) {
    return (
      <p className="flex items-center gap-2.5 px-5 py-6 text-muted">
        <KeyRound aria-hidden className="size-4" />
        {t('noTokens')}
      </p>
    )
  }
  return (
    <ul className="divide-y" aria-label={t('tokens')}>
      {data.map((token) => (
        <li key={token.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
          <div className="min-w-0 flex-[1_1_14rem]">
            <p className="truncate font-medium">
              {token.name}{' '}
              <code className="ml-1 font-mono font-normal text-muted text-xs">{token.hint}…</code>
            </p>
            <p className="text-muted text-xs">
              {token.lastUsedAt === null ? (
                t('neverUsed')
              ) : (
                <>
                  {t('lastUsed')} <RelativeTime at={token.lastUsedAt} />
                </>
              )}
              {token.expiresAt !== null && (
                <>
                  {' · '}
                  {t('expires', { date: new Date(token.expiresAt) })}
                </>
              )}
            </p>
          </div>
          <Badge>{teams.find(({ id }) => id === token.teamId)?.name ?? t('allTeams')}</Badge>
          <Badge>{tTeam(`role.${token.role}`)}</Badge>
          <RevokeButton id={token.id} name={token.name} />
        </li>
      ))}
    </ul>
  )
}
