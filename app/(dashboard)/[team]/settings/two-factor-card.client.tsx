'use client'

import { useTranslations } from 'next-intl'
import { requireTwoFactorAction } from '../../../_actions/two-factor.ts'
import { Badge } from '../../../_ui/badge.tsx'
import { Button } from '../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { useAction } from '../../../_ui/use-action.ts'

/** Whether members need a second factor: for the team's owners. */
export function TeamTwoFactorCard({ team }: { team: { id: string; requiresTwoFactor: boolean } }) {
  const t = useTranslations('twoFactor')
  const tCommon = useTranslations('common')
  const { run, pending } = useAction()
  const { id, requiresTwoFactor } = team
  return (
    <Card>
      <CardHeader title={t('teamTitle')} description={t('teamDescription')} />
      <div className="flex flex-wrap items-center justify-between gap-3 p-5">
        <Badge>{requiresTwoFactor ? t('isRequired') : t('isOptional')}</Badge>
        <Button
          pending={pending}
          onClick={() =>
            run(() => requireTwoFactorAction(id, !requiresTwoFactor), { done: tCommon('saved') })
          }
        >
          {requiresTwoFactor ? t('stop') : t('require')}
        </Button>
      </div>
    </Card>
  )
}
