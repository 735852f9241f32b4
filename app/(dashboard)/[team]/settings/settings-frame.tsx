import { getTranslations } from 'next-intl/server'
import type { ReactNode } from 'react'
import type { Team } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { PageHeader } from '../../../_ui/page-header.tsx'
import { Tabs } from '../../../_ui/tabs.client.tsx'

interface SettingsFrameProps {
  team: Team
  /** For lists, which need the room. */
  isWide?: boolean
  children: ReactNode
}

/** Around each page of a team's settings. */
export async function SettingsFrame({ team, isWide = false, children }: SettingsFrameProps) {
  const [t, tPage, tAudit, tNotifications, tRegistries, tDrains] = await Promise.all([
    getTranslations('team'),
    getTranslations('teamPages'),
    getTranslations('audit'),
    getTranslations('notifications'),
    getTranslations('registries'),
    getTranslations('logDrains'),
  ])
  const path = `/${team.slug}/settings`
  return (
    <>
      <PageHeader title={t('settings')} />
      <Tabs
        label={t('settings')}
        tabs={[
          { href: path, label: t('general') },
          { href: `${path}/usage`, label: tPage('usage') },
          ...(roleIncludes(team.role, 'developer')
            ? [{ href: `${path}/registries`, label: tRegistries('title') }]
            : []),
          ...(roleIncludes(team.role, 'admin')
            ? [
                { href: `${path}/tokens`, label: tPage('tokens') },
                { href: `${path}/audit`, label: tAudit('title') },
                { href: `${path}/notifications`, label: tNotifications('title') },
                { href: `${path}/log-drains`, label: tDrains('title') },
              ]
            : []),
        ]}
      />
      <div className={isWide ? undefined : 'max-w-2xl'}>{children}</div>
    </>
  )
}
