import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { DeployPage } from '../../../_deploy/deploy-page.tsx'
import { loadTeam } from '../../../_shell/load.ts'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('deploy')
  return { title: t('title') }
}

export default async function NewAppPage({ params }: PageProps<'/[team]/new'>) {
  return <DeployPage team={await loadTeam((await params).team)} project={null} />
}
