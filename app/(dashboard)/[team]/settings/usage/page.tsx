import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import { quotaNames } from '@/platform/model/quotas.ts'
import { getTeamUse } from '@/platform/team-use.ts'
import { enter, loadTeam, loadUser } from '../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { ProgressBar } from '../../../../_ui/progress-bar.tsx'
import { SettingsFrame } from '../settings-frame.tsx'
import { amountText } from './amount-text.ts'
import { QuotaForm } from './quota-form.client.tsx'
import { TeamMetricsView } from './team-metrics-view.client.tsx'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('teamPages')
  return { title: t('usage') }
}

/** What the team uses of what it may use. */
export default async function UsagePage({ params }: PageProps<'/[team]/settings/usage'>) {
  const team = await loadTeam((await params).team)
  const { platform, viewer } = await enter()
  const [t, locale, user, { used, limits }] = await Promise.all([
    getTranslations('teamPages'),
    getLocale(),
    loadUser(),
    getTeamUse(platform, viewer, team.id),
  ])
  return (
    <SettingsFrame team={team}>
      <div className="space-y-5">
        <Card>
          <CardHeader title={t('usage')} description={t('usageDescription')} />
          <ul className="space-y-5 p-5">
            {quotaNames.map((name) => {
              const limit = limits[name]
              const share = limit === null ? null : limit === 0 ? 1 : used[name] / limit
              return (
                <li key={name}>
                  <div className="flex flex-wrap items-baseline justify-between gap-x-4">
                    <h3 className="font-medium">{t(`quota.${name}`)}</h3>
                    <p className="text-muted tabular-nums">
                      {limit === null
                        ? t('usedOfAny', { used: amountText(name, used[name], locale) })
                        : t('usedOf', {
                            used: amountText(name, used[name], locale),
                            limit: amountText(name, limit, locale),
                          })}
                    </p>
                  </div>
                  {share !== null && (
                    <ProgressBar
                      label={t(`quota.${name}`)}
                      value={share}
                      tone={share >= 1 ? 'danger' : share >= 0.8 ? 'warning' : 'accent'}
                      className="mt-2"
                    />
                  )}
                  <p className="mt-1.5 text-[13px] text-muted">{t(`quotaDescription.${name}`)}</p>
                </li>
              )
            })}
          </ul>
        </Card>
        <TeamMetricsView teamId={team.id} teamSlug={team.slug} />
        {user.isAdmin && (
          <Card>
            <CardHeader title={t('limits')} description={t('limitsDescription')} />
            <div className="p-5">
              <QuotaForm teamId={team.id} limits={limits} />
            </div>
          </Card>
        )}
      </div>
    </SettingsFrame>
  )
}
