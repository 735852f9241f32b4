'use client'

import { Trash2 } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { DeleteAppDialog } from '../app-actions.client.tsx'

interface DangerZoneProps {
  app: { id: string; name: string }
  projectPath: string
}

export function DangerZone({ app, projectPath }: DangerZoneProps) {
  const t = useTranslations('appSettings')
  const tApp = useTranslations('app')
  const [deleting, setDeleting] = useState(false)
  return (
    <Card className="border-danger/50 pb-4">
      <CardHeader
        title={t('danger')}
        description={tApp('deleteDescription')}
        actions={
          <Button tone="danger" onClick={() => setDeleting(true)}>
            <Trash2 aria-hidden />
            {t('deleteApp')}
          </Button>
        }
      />
      <DeleteAppDialog app={app} open={deleting} onOpenChange={setDeleting} projectPath={projectPath} />
    </Card>
  )
}
