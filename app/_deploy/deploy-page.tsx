import { getTranslations } from 'next-intl/server'
import { appSettingsSchema } from '@/platform/model/app-settings.ts'
import type { Team } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { listProjects } from '@/platform/projects.ts'
import { enter } from '../_shell/load.ts'
import { Notice } from '../_ui/notice.tsx'
import { PageHeader } from '../_ui/page-header.tsx'
import { DeployForm } from './deploy-form.client.tsx'
import { formFromSettings } from './settings-form.ts'

/** "Deploy an image", into a project that is chosen already or not. */
export async function DeployPage({
  team,
  project,
}: {
  team: Team
  project: { id: string; slug: string } | null
}) {
  const { platform, viewer } = await enter()
  const [t, projects] = await Promise.all([
    getTranslations('deploy'),
    listProjects(platform, viewer, team.id, { limit: 100 }),
  ])
  const { image: _, ...defaults } = formFromSettings(appSettingsSchema.parse({ image: 'any' }))
  const canMakeProject = roleIncludes(team.role, 'developer')
  const names = projects.data
    .filter(({ role }) => roleIncludes(role, 'developer'))
    .map(({ id, name }) => ({ id, name }))
  const canDeploy =
    project === null ? canMakeProject || names.length > 0 : names.some(({ id }) => id === project.id)
  return (
    <div className="max-w-2xl">
      <PageHeader title={t('title')} description={t('description')} />
      {canDeploy ? (
        <DeployForm
          team={{ id: team.id, slug: team.slug }}
          projects={names}
          projectId={project?.id ?? names[0]?.id ?? null}
          back={project === null ? `/${team.slug}` : `/${team.slug}/${project.slug}`}
          defaults={defaults}
        />
      ) : (
        <Notice tone="warning">{t('notAllowed')}</Notice>
      )}
    </div>
  )
}
