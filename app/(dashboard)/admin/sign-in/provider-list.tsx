import { getTranslations } from 'next-intl/server'
import type { SignInProvider } from '@/platform/model/sign-in-settings.ts'
import { Badge } from '../../../_ui/badge.tsx'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { AddProviderButton, ChangeProviderButton, RemoveProviderButton } from './provider-buttons.client.tsx'

interface ProviderListProps {
  providers: SignInProvider[]
  callbackBase: string
}

export async function ProviderList({ providers, callbackBase }: ProviderListProps) {
  const t = await getTranslations('signInAdmin')
  return (
    <Card aria-labelledby="providers">
      <CardHeader
        titleId="providers"
        title={t('providers')}
        description={t('providersDescription')}
        actions={<AddProviderButton callbackBase={callbackBase} />}
      />
      <ul className="mt-4 divide-y border-t" aria-label={t('providers')}>
        {providers.map((provider) => (
          <li key={provider.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
            <div className="min-w-0 flex-[1_1_14rem] space-y-0.5">
              <p className="flex flex-wrap items-center gap-2 font-medium">
                <span className="truncate">{provider.name}</span>
                {provider.letsRegister && <Badge>{t('rules.letsRegister.badge')}</Badge>}
                {provider.linksByEmail && <Badge>{t('rules.linksByEmail.badge')}</Badge>}
                {provider.trustsEmail && <Badge>{t('rules.trustsEmail.badge')}</Badge>}
                {provider.allowsPrivate && <Badge>{t('rules.allowsPrivate.badge')}</Badge>}
              </p>
              <p className="break-all text-muted text-xs">
                {provider.issuer} · {t('identities', { count: provider.identities })}
              </p>
              <p className="break-all font-mono text-muted text-xs">{provider.callbackUrl}</p>
            </div>
            <div className="flex gap-2">
              <ChangeProviderButton provider={provider} callbackBase={callbackBase} />
              <RemoveProviderButton id={provider.id} name={provider.name} />
            </div>
          </li>
        ))}
        {providers.length === 0 && <li className="px-5 py-4 text-muted">{t('noProviders')}</li>}
      </ul>
    </Card>
  )
}
