import { getTranslations } from 'next-intl/server'
import type { Page, VariableVersion } from '@/platform/model/resources.ts'
import type { VariableOwner } from '@/platform/variable-owner.ts'
import { Card, CardHeader } from '../_ui/card.tsx'
import { cn } from '../_ui/cn.ts'
import { MoreLink } from '../_ui/more-link.tsx'
import { RelativeTime } from '../_ui/relative-time.client.tsx'
import { RestoreButton } from './restore-button.client.tsx'

interface VersionsCardProps {
  owner: VariableOwner
  versions: Page<VariableVersion>
  path: string
  /** The newest one is on it, which is what is stored now. */
  isFirstPage: boolean
}

export async function VersionsCard({ owner, versions, path, isFirstPage }: VersionsCardProps) {
  const t = await getTranslations('variables')
  if (versions.data.length === 0) return null
  return (
    <Card aria-labelledby="versions">
      <CardHeader titleId="versions" title={t('versions')} description={t('versionsDescription')} />
      <ol className="mt-3 divide-y border-t" aria-labelledby="versions">
        {versions.data.map((version, at) => (
          <li key={version.number} className="flex flex-wrap items-start gap-x-4 gap-y-2 px-5 py-3">
            <div className="min-w-0 flex-[1_1_18rem]">
              <p>
                <span className="font-medium">{t('version', { number: version.number })}</span>{' '}
                <span className="text-muted">
                  {t('versionBy', { name: version.by })} <RelativeTime at={version.createdAt} />
                </span>
              </p>
              <ul className="mt-1.5 space-y-1">
                {version.changes.map((change) => (
                  <ChangeRow key={change.name} change={change} />
                ))}
              </ul>
            </div>
            {isFirstPage && at === 0 ? (
              <span className="text-muted text-xs leading-6">{t('versionNow')}</span>
            ) : (
              <RestoreButton owner={owner} number={version.number} />
            )}
          </li>
        ))}
      </ol>
      <div className="px-5 pb-4">
        <MoreLink path={path} query={{}} nextCursor={versions.nextCursor} />
      </div>
    </Card>
  )
}

const signs = { added: '+', changed: '±', removed: '−' } as const
const tones = { added: 'text-success', changed: 'text-warning', removed: 'text-danger' } as const

async function ChangeRow({ change }: { change: VariableVersion['changes'][number] }) {
  const t = await getTranslations('variables')
  const { name, isSecret, before, after } = change
  return (
    <li className="flex min-w-0 gap-2 text-[13px]">
      <span className={cn('w-3 shrink-0 text-center font-mono', tones[change.change])} aria-hidden>
        {signs[change.change]}
      </span>
      <span className="sr-only">{t(`change.${change.change}`)}</span>
      <span className="min-w-0 break-words">
        <code className="font-medium">{name}</code>{' '}
        {isSecret ? (
          <span className="text-muted">{t('hidden')}</span>
        ) : (
          <code className="break-all text-muted">
            {[before, after]
              .filter((value) => value !== null)
              .map(short)
              .join(' → ')}
          </code>
        )}
      </span>
    </li>
  )
}

function short(value: string): string {
  const line = value.replaceAll('\n', '⏎')
  return line === '' ? '""' : line.length > 120 ? `${line.slice(0, 120)}…` : line
}
