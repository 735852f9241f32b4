import { getTranslations } from 'next-intl/server'
import { getEdgeAccess } from '@/platform/edge-access.ts'
import { enter } from '../_shell/load.ts'
import { Card, CardHeader } from '../_ui/card.tsx'
import { AccessForm } from './access-form.client.tsx'

/** Whom the edge lets in to an app. */
export async function AccessCard({ appId, canChange }: { appId: string; canChange: boolean }) {
  const { platform, viewer } = await enter()
  const [t, access] = await Promise.all([
    getTranslations('edgeAccess'),
    getEdgeAccess(platform, viewer, appId),
  ])
  const isOpen = access.users.length === 0 && access.addresses.length === 0
  return (
    <Card aria-labelledby="edge-access">
      <CardHeader
        titleId="edge-access"
        title={t('title')}
        description={isOpen ? t('open') : t('description')}
      />
      <div className="p-5">
        <AccessForm appId={appId} access={access} canChange={canChange} />
      </div>
    </Card>
  )
}
