import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { readAcme } from '@/platform/certificates/acme/settings.ts'
import { enter } from '../../../_shell/load.ts'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { AcmeForm } from './acme-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('acme')
  return { title: t('title') }
}

/** The authority that certificates are asked of, and how that goes; and Berth's own. */
export default async function CertificatesPage() {
  const { platform, viewer } = await enter()
  const [t, state] = await Promise.all([getTranslations('acme'), readAcme(platform, viewer)])
  return (
    <div className="max-w-2xl space-y-5">
      <Card aria-labelledby="acme">
        <CardHeader titleId="acme" title={t('title')} description={t('description')} />
        <div className="space-y-4 p-5">
          {state.server !== null && (
            <p role="status">
              {state.hasAccount ? t('hasAccount') : t('noAccount')}{' '}
              {t('counts', { issued: state.issued, waiting: state.waiting })}
            </p>
          )}
          {state.problem !== null && <Notice tone="danger">{t('problem', { reason: state.problem })}</Notice>}
          <AcmeForm server={state.server} />
        </div>
      </Card>
      <Card aria-labelledby="own">
        <CardHeader titleId="own" title={t('own')} description={t('ownDescription')} />
        <p className="px-5 pb-5">
          <a href="/api/certificate-authority" download className="underline">
            {t('download')}
          </a>
        </p>
      </Card>
    </div>
  )
}
