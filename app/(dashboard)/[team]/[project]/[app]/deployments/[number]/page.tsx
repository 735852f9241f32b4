import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { canCancel, isInProgress } from '@/platform/model/deployment-status.ts'
import type { Deployment } from '@/platform/model/resources.ts'
import { roleIncludes } from '@/platform/model/roles.ts'
import { BuildCard } from '../../../../../../_builds/build-card.client.tsx'
import { textFromCommand } from '../../../../../../_deploy/settings-form.ts'
import { loadDeployment } from '../../../../../../_shell/load.ts'
import { Card, CardHeader } from '../../../../../../_ui/card.tsx'
import { CopyButton } from '../../../../../../_ui/copy-button.client.tsx'
import { formatBytes } from '../../../../../../_ui/format.ts'
import { RelativeTime } from '../../../../../../_ui/relative-time.client.tsx'
import { DeploymentProgress } from '../../deployment-progress.client.tsx'
import { RollbackButton } from '../../rollback-button.client.tsx'
import { CancelButton } from './cancel-button.client.tsx'

type Props = PageProps<'/[team]/[project]/[app]/deployments/[number]'>

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { team, project, app, number } = await params
  const place = await loadDeployment(team, project, app, number)
  return { title: `#${place.deployment.number} · ${place.app.name}` }
}

export default async function DeploymentPage({ params }: Props) {
  const names = await params
  const place = await loadDeployment(names.team, names.project, names.app, names.number)
  const { project, deployment, path } = place
  const canEdit = roleIncludes(project.role, 'developer')
  return (
    <div className="space-y-5">
      <DeploymentProgress
        key={deployment.id}
        deployment={deployment}
        actions={
          canEdit && (
            <>
              {canCancel(deployment.status) && <CancelButton deploymentId={deployment.id} />}
              {deployment.rollback !== null && (
                <RollbackButton deploymentId={deployment.id} number={deployment.number} path={path} />
              )}
            </>
          )
        }
      />
      {deployment.build !== null && (
        <BuildCard
          key={`build-${deployment.id}`}
          deploymentId={deployment.id}
          name={`${place.app.slug}-${deployment.number}`}
          build={deployment.build}
          isRunning={isInProgress(deployment.status) && deployment.build.finishedAt === null}
        />
      )}
      <Facts deployment={deployment} />
    </div>
  )
}

function healthOf({ path, expectedStatus, command }: Deployment['settings']['healthCheck']) {
  if (command !== null) return <Code>{textFromCommand(command)}</Code>
  return path === null ? null : <Code>{expectedStatus === null ? path : `${path} → ${expectedStatus}`}</Code>
}

function Code({ children }: { children: string }) {
  return <code className="break-all font-mono text-[13px]">{children}</code>
}

function commitFact(build: Deployment['build'], label: string) {
  if (build === null || build.source.kind === 'upload' || build.source.commit === null) return []
  const { sha, subject, author } = build.source.commit
  const value = (
    <span className="break-words">
      <Code>{sha.slice(0, 12)}</Code> {subject}
      <span className="block text-muted text-xs">{author}</span>
    </span>
  )
  return [{ label, value }]
}

async function Facts({ deployment }: { deployment: Deployment }) {
  const t = await getTranslations('deployments')
  const { settings } = deployment
  const facts: { label: string; value: React.ReactNode }[] = [
    { label: t('image'), value: <Code>{deployment.image}</Code> },
    {
      label: t('digest'),
      value:
        deployment.imageDigest === null ? (
          t('notResolved')
        ) : (
          <span className="flex items-start gap-1">
            <Code>{deployment.imageDigest}</Code>
            <CopyButton text={deployment.imageDigest} label={t('copyDigest')} />
          </span>
        ),
    },
    ...commitFact(deployment.build, t('commit')),
    { label: t('how'), value: t(`trigger.${deployment.trigger}`) },
    { label: t('who'), value: deployment.createdBy ?? t('berth') },
    { label: t('when'), value: <RelativeTime at={deployment.createdAt} /> },
    { label: t('port'), value: settings.port ?? t('portAuto') },
    { label: t('replicas'), value: settings.replicas },
    {
      label: t('limits'),
      value: t('limitsValue', {
        memory: formatBytes(settings.limits.memoryBytes, 'en'),
        cpu: settings.limits.cpuMillis / 1_000,
      }),
    },
    { label: t('health'), value: healthOf(settings.healthCheck) ?? t('healthPort') },
    ...(settings.release.command === null
      ? []
      : [{ label: t('release'), value: <Code>{textFromCommand(settings.release.command)}</Code> }]),
  ]
  return (
    <Card aria-labelledby="snapshot">
      <CardHeader titleId="snapshot" title={t('snapshot')} description={t('snapshotDescription')} />
      <dl className="grid gap-x-6 gap-y-4 p-5 sm:grid-cols-2">
        {facts.map(({ label, value }) => (
          <div key={label} className="min-w-0">
            <dt className="text-muted text-xs">{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  )
}
