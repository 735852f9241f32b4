import { cookies } from 'next/headers'
import { notFound } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import type { ReactNode } from 'react'
import { loadOpenTeams, loadUser } from '../../_shell/load.ts'
import { Shell } from '../../_shell/shell.tsx'
import { PageHeader } from '../../_ui/page-header.tsx'
import { Tabs } from '../../_ui/tabs.client.tsx'

/** For administrators of the installation; for others it is not there. What may be done is the platform's business. */
export default async function AdminLayout({ children }: { children: ReactNode }) {
  const [t, user, teams] = await Promise.all([getTranslations('admin'), loadUser(), loadOpenTeams()])
  if (!user.isAdmin) notFound()
  const last = (await cookies()).get('berth-team')?.value
  return (
    <Shell team={teams.find(({ slug }) => slug === last) ?? teams[0] ?? null}>
      <PageHeader title={t('title')} description={t('description')} />
      <Tabs
        label={t('title')}
        tabs={[
          { href: '/admin/users', label: t('users') },
          { href: '/admin/teams', label: t('teams') },
          { href: '/admin/hosts', label: t('hosts') },
          { href: '/admin/audit', label: t('audit') },
          { href: '/admin/certificates', label: t('certificates') },
          { href: '/admin/sign-in', label: t('signIn') },
        ]}
      />
      {children}
    </Shell>
  )
}
