import Link from 'next/link'
import { getTranslations } from 'next-intl/server'
import { listReferable } from '@/platform/referable.ts'
import type { VariableOwner } from '@/platform/variable-owner.ts'
import { listVariableVersions } from '@/platform/variable-versions.ts'
import { listVariables } from '@/platform/variables.ts'
import { enter } from '../_shell/load.ts'
import { Card, CardHeader } from '../_ui/card.tsx'
import { ExportButton } from './export-button.client.tsx'
import { ReferenceHelp } from './reference-help.tsx'
import { VariablesForm } from './variables-form.client.tsx'
import { VersionsCard } from './versions-card.tsx'

interface VariablesViewProps {
  owner: VariableOwner
  title: string
  description: string
  /** Of an app: its address, and where what its environment shares is. */
  app?: { path: string; environmentId: string; sharedPath: string }
  cursor: string | undefined
  /** This page's own address. */
  path: string
}

/** An app's or an environment's variables: to change, what they may refer to, and what was before. */
export async function VariablesView({ owner, title, description, app, cursor, path }: VariablesViewProps) {
  const { platform, viewer } = await enter()
  const [variables, versions, referable] = await Promise.all([
    listVariables(platform, viewer, owner),
    listVariableVersions(platform, viewer, owner, { limit: 10, ...(cursor === undefined ? {} : { cursor }) }),
    listReferable(platform, viewer, owner),
  ])
  return (
    <div className="space-y-6">
      <Card>
        <CardHeader
          title={title}
          description={description}
          actions={variables.length > 0 && <ExportButton owner={owner} />}
        />
        <div className="space-y-5 p-5">
          <VariablesForm owner={owner} path={app?.path ?? null} variables={variables} />
          <ReferenceHelp referable={referable} />
        </div>
      </Card>
      {app !== undefined && <SharedCard app={app} own={new Set(variables.map(({ name }) => name))} />}
      <VersionsCard owner={owner} versions={versions} path={path} isFirstPage={cursor === undefined} />
    </div>
  )
}

interface SharedCardProps {
  app: { environmentId: string; sharedPath: string }
  own: ReadonlySet<string>
}

async function SharedCard({ app, own }: SharedCardProps) {
  const { platform, viewer } = await enter()
  const [t, shared] = await Promise.all([
    getTranslations('variables'),
    listVariables(platform, viewer, { environmentId: app.environmentId }).catch(() => null),
  ])
  // A token or a role may be for this app alone.
  if (shared === null) return null
  return (
    <Card aria-labelledby="shared">
      <CardHeader
        titleId="shared"
        title={t('shared')}
        description={shared.length === 0 ? t('sharedNone') : t('sharedInherited')}
        actions={
          <Link href={app.sharedPath} className="text-accent hover:underline">
            {t('sharedEdit')}
          </Link>
        }
      />
      <ul className="mt-3 divide-y border-t empty:hidden" aria-labelledby="shared">
        {shared.map(({ name, value }) => (
          <li key={name} className="flex flex-wrap items-baseline gap-x-4 gap-y-0.5 px-5 py-2.5">
            <code className={own.has(name) ? 'text-muted line-through' : undefined}>{name}</code>
            <code className="min-w-0 flex-1 truncate text-muted">{value ?? t('hidden')}</code>
            {own.has(name) && <span className="text-muted text-xs">{t('overridden')}</span>}
          </li>
        ))}
      </ul>
    </Card>
  )
}
