import { getTranslations } from 'next-intl/server'
import { listIdentities } from '@/platform/sign-in/identities.ts'
import { listSignInWays } from '@/platform/sign-in/providers.ts'
import { readTwoFactor } from '@/platform/two-factor.ts'
import { enter } from '../../_shell/load.ts'
import { Card, CardHeader } from '../../_ui/card.tsx'
import { Notice } from '../../_ui/notice.tsx'
import { RelativeTime } from '../../_ui/relative-time.client.tsx'
import { LinkButton, UnlinkButton } from './identity-buttons.client.tsx'

interface IdentitiesCardProps {
  /** What the address says of an identity that was to be linked. */
  said: Record<string, string | string[] | undefined>
}

/** Accounts elsewhere that sign in here. Nothing where there are no providers, and no identities. */
export async function IdentitiesCard({ said }: IdentitiesCardProps) {
  const { platform, viewer } = await enter()
  const [t, identities, ways, { hasPassword }] = await Promise.all([
    getTranslations('identities'),
    listIdentities(platform, viewer),
    listSignInWays(platform),
    readTwoFactor(platform, viewer),
  ])
  if (identities.length + ways.length === 0) return null
  return (
    <Card aria-labelledby="identities">
      <CardHeader titleId="identities" title={t('title')} description={t('description')} />
      <div className="space-y-3 px-5 pt-4 empty:hidden">
        {said.linked === 'done' && <Notice tone="info">{t('linked')}</Notice>}
        {said.linked === 'expired' && <Notice tone="warning">{t('expired')}</Notice>}
        {said.error === 'identity-taken' && <Notice tone="danger">{t('error.identity-taken')}</Notice>}
        {said.error === 'unavailable' && <Notice tone="danger">{t('error.unavailable')}</Notice>}
        {!hasPassword && <p className="text-muted text-xs">{t('noPassword')}</p>}
      </div>
      <ul className="mt-4 divide-y border-t" aria-label={t('title')}>
        {identities.map(({ id, provider, email, lastUsedAt }) => (
          <li key={id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
            <div className="min-w-0 flex-[1_1_14rem]">
              <p className="truncate font-medium">{provider}</p>
              <p className="truncate text-muted text-xs">
                {email !== null && `${email} · `}
                {t('lastUsed')} <RelativeTime at={lastUsedAt} />
              </p>
            </div>
            <UnlinkButton id={id} name={provider} />
          </li>
        ))}
        <li className="flex flex-wrap items-center gap-2 px-5 py-3">
          {identities.length === 0 && <span className="flex-1 text-muted">{t('none')}</span>}
          {ways.map(({ id, name }) => (
            <LinkButton key={id} id={id} name={name} hasPassword={hasPassword} />
          ))}
        </li>
      </ul>
    </Card>
  )
}
