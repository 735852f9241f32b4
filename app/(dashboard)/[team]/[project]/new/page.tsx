import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { DeployPage } from '../../../../_deploy/deploy-page.tsx'
import { loadProject } from '../../../../_shell/load.ts'

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('deploy')
  return { title: t('title') }
}

export default async function NewAppPage({ params }: PageProps<'/[team]/[project]/new'>) {
  const names = await params
  const { team, project } = await loadProject(names.team, names.project)
  return <DeployPage team={team} project={project} />
}
