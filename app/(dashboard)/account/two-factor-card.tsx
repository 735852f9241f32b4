import { getTranslations } from 'next-intl/server'
import { readTwoFactor } from '@/platform/two-factor.ts'
import { enter } from '../../_shell/load.ts'
import { Badge } from '../../_ui/badge.tsx'
import { Card, CardHeader } from '../../_ui/card.tsx'
import { SetUpTwoFactor } from './set-up-two-factor.client.tsx'
import { RenewCodes, TurnOffTwoFactor } from './two-factor-buttons.client.tsx'

/** Whether one's own sign-in asks for a code. */
export async function TwoFactorCard() {
  const { platform, viewer } = await enter()
  const [t, { since, recoveryCodesLeft, hasPassword }] = await Promise.all([
    getTranslations('twoFactor'),
    readTwoFactor(platform, viewer),
  ])
  return (
    <Card aria-labelledby="two-factor">
      <CardHeader
        titleId="two-factor"
        title={t('title')}
        description={t('description')}
        actions={<SetUpTwoFactor hasPassword={hasPassword} isOn={since !== null} />}
      />
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 p-5">
        {since === null ? (
          <Badge>{t('off')}</Badge>
        ) : (
          <>
            <Badge>{t('on')}</Badge>
            <p className="min-w-0 flex-[1_1_12rem] text-muted text-xs">
              {t('since', { date: new Date(since) })} · {t('left', { count: recoveryCodesLeft })}
            </p>
            <RenewCodes hasPassword={hasPassword} />
            <TurnOffTwoFactor hasPassword={hasPassword} />
          </>
        )}
      </div>
    </Card>
  )
}
