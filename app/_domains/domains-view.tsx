import { getTranslations } from 'next-intl/server'
import { listDomains } from '@/platform/domains/domains.ts'
import { enter } from '../_shell/load.ts'
import { Card, CardHeader } from '../_ui/card.tsx'
import { AddDomainButton } from './add-domain-button.client.tsx'
import { DomainRow } from './domain-row.tsx'

/** The names that an app is reached by, and what is still missing for those that lead nowhere yet. */
export async function DomainsView({
  appId,
  isPublic,
  canChange,
}: {
  appId: string
  /** By the app's settings; what is deployed may not have heard of it yet. */
  isPublic: boolean
  canChange: boolean
}) {
  const { platform, viewer } = await enter()
  const [t, domains] = await Promise.all([getTranslations('domains'), listDomains(platform, viewer, appId)])
  return (
    <Card aria-labelledby="domains">
      <CardHeader
        titleId="domains"
        title={t('title')}
        description={t('description')}
        actions={canChange && <AddDomainButton appId={appId} />}
      />
      {!isPublic && <p className="border-t px-5 py-4 text-muted">{t('hidden')}</p>}
      <ul aria-labelledby="domains" className="mt-4 divide-y border-t">
        {domains.map((domain) => (
          <DomainRow key={domain.id} domain={domain} canChange={canChange} />
        ))}
      </ul>
      {isPublic && domains.every(({ isGenerated }) => isGenerated) && (
        <p className="border-t px-5 py-4 text-muted">{t('none')}</p>
      )}
      {domains.some(({ certificate }) => certificate?.source === 'internal') && (
        <p className="border-t px-5 py-4 text-muted">
          {t.rich('authority', {
            link: (words) => (
              <a key="link" href="/api/certificate-authority" download className="underline">
                {words}
              </a>
            ),
          })}
        </p>
      )}
    </Card>
  )
}
