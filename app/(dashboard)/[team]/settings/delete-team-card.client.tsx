'use client'

import { Trash2 } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { deleteTeamAction } from '../../../_actions/teams.ts'
import { Button } from '../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { ConfirmDialog } from '../../../_ui/confirm-dialog.client.tsx'

/** The way out for a whole team. */
export function DeleteTeamCard({ team, days }: { team: { id: string; name: string }; days: number }) {
  const t = useTranslations('teamPages')
  return (
    <Card className="border-danger/50 pb-4">
      <CardHeader
        title={t('delete')}
        description={t('deleteDescription', { days })}
        actions={
          <ConfirmDialog
            title={t('deleteTitle', { name: team.name })}
            description={t('deleteDescription', { days })}
            confirmLabel={t('delete')}
            typed={team.name}
            trigger={
              <Button tone="danger">
                <Trash2 aria-hidden />
                {t('delete')}
              </Button>
            }
            action={() => deleteTeamAction(team.id, team.name)}
            // A whole new page: nothing of the team may stay in the browser.
            onDone={() => window.location.assign('/account/deleted-teams')}
          />
        }
      />
    </Card>
  )
}
