'use client'

import { useTranslations } from 'next-intl'
import type { Role } from '@/platform/model/roles.ts'
import { appTabs } from '../../../../_shell/app-tab-names.ts'
import { Tabs } from '../../../../_ui/tabs.client.tsx'

export function AppTabs({ path, role }: { path: string; role: Role }) {
  const t = useTranslations('app.tabs')
  const tabs = appTabs(path, role).map(({ name, href }) => ({ href, label: t(name) }))
  return <Tabs label={t('label')} tabs={tabs} className="mt-6" />
}
