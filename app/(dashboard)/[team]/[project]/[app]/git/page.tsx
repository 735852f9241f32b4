import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { readGitSource } from '@/platform/git/source.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { enter, loadApp } from '../../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../../_ui/card.tsx'
import { Notice } from '../../../../../_ui/notice.tsx'
import { DeployFromGitButton } from './deploy-from-git-button.client.tsx'
import { GitForm } from './git-form.client.tsx'
import { KeysCard } from './keys-card.tsx'
import { RemoveSourceButton } from './remove-source-button.client.tsx'
import { SourceFacts } from './source-facts.tsx'
import { WebhookCard } from './webhook-card.tsx'

type Props = PageProps<'/[team]/[project]/[app]/git'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const names = await params
  const [t, { app }] = await Promise.all([
    getTranslations('git'),
    loadApp(names.team, names.project, names.app),
  ])
  return { title: `${t('title')} · ${app.name}` }
}

/** Where the app's source is, and what happens when something is pushed there. */
export default async function GitPage({ params }: Props) {
  const names = await params
  const [t, { project, app, path }, { platform, viewer }] = await Promise.all([
    getTranslations('git'),
    loadApp(names.team, names.project, names.app),
    enter(),
  ])
  const source = await readGitSource(platform, viewer, app.id)
  const canEdit = roleIncludes(project.role, 'developer')
  return (
    <div className="space-y-5">
      <Card aria-labelledby="git-source">
        <CardHeader
          titleId="git-source"
          title={t('title')}
          description={source === null ? t('none') : t('description')}
          actions={
            source !== null &&
            canEdit && (
              <>
                <RemoveSourceButton appId={app.id} />
                <DeployFromGitButton appId={app.id} path={path} />
              </>
            )
          }
        />
        <div className="space-y-5 p-5">
          {source?.look?.problem != null && (
            <Notice tone="danger">{t('problem', { problem: source.look.problem })}</Notice>
          )}
          {source !== null && <SourceFacts source={source} />}
          {canEdit ? (
            <GitForm key={source?.address ?? 'new'} appId={app.id} source={source} />
          ) : (
            <Notice tone="info">{t('notAllowed')}</Notice>
          )}
        </div>
      </Card>
      {source !== null && source.deployKey !== null && (
        <KeysCard appId={app.id} source={source} canEdit={canEdit} />
      )}
      {source !== null && <WebhookCard appId={app.id} webhook={source.webhook} canEdit={canEdit} />}
    </div>
  )
}
