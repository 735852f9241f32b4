import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { getAuditRetention } from '@/platform/audit-retention.ts'
import { AuditView } from '../../../_audit/audit-view.tsx'
import { enter } from '../../../_shell/load.ts'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { RetentionForm } from './retention-form.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('audit')
  return { title: t('title') }
}

/** Everything that happened in the installation, and how long it is kept. */
export default async function InstallationAuditPage({ searchParams }: PageProps<'/admin/audit'>) {
  const { platform, viewer } = await enter()
  const [t, asked, { days }] = await Promise.all([
    getTranslations('audit'),
    searchParams,
    getAuditRetention(platform, viewer),
  ])
  return (
    <>
      <AuditView scope="installation" path="/admin/audit" asked={asked} />
      <Card className="mt-8 max-w-2xl">
        <CardHeader title={t('retention')} description={t('retentionDescription')} />
        <div className="p-5">
          <RetentionForm days={days} />
        </div>
      </Card>
    </>
  )
}
