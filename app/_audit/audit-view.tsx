import { Download, ScrollText } from 'lucide-react'
import { getTranslations } from 'next-intl/server'
import { type AuditScope, listAudit } from '@/platform/audit-log.ts'
import { type AuditFilterInput, auditFilterSchema } from '@/platform/model/inputs.ts'
import { enter } from '../_shell/load.ts'
import { buttonStyle } from '../_ui/button.tsx'
import { Card } from '../_ui/card.tsx'
import { EmptyState } from '../_ui/empty-state.tsx'
import { MoreLink } from '../_ui/more-link.tsx'
import { addressOf, queryOf } from '../_ui/query.ts'
import { AuditEntry } from './audit-entry.tsx'
import { AuditFilter } from './audit-filter.tsx'

interface AuditViewProps {
  scope: AuditScope
  /** Of the page itself. */
  path: string
  asked: Record<string, string | string[] | undefined>
}

/** Who did what, newest first: a team's log, or the installation's. */
export async function AuditView({ scope, path, asked }: AuditViewProps) {
  const { platform, viewer } = await enter()
  const { cursor, ...given } = queryOf(asked, ['actor', 'action', 'target', 'since', 'until', 'cursor'])
  const filter = readable(given)
  const [t, { data, nextCursor }] = await Promise.all([
    getTranslations('audit'),
    listAudit(platform, viewer, scope, filter, { cursor, limit: 30 }),
  ])
  const log = scope === 'installation' ? '/api/v1/admin/audit' : `/api/v1/teams/${scope.teamId}/audit`
  return (
    <>
      <AuditFilter filter={filter} />
      <div className="mb-3 flex flex-wrap items-center justify-end gap-2">
        {(['csv', 'jsonl'] as const).map((format) => (
          // Not a link of Next.js: it is a file.
          <a
            key={format}
            href={addressOf(`${log}/export`, { ...filter, format })}
            download
            className={buttonStyle({ size: 'small' })}
          >
            <Download aria-hidden />
            {t(`export.${format}`)}
          </a>
        ))}
      </div>
      {data.length === 0 ? (
        <EmptyState icon={ScrollText} title={t('emptyTitle')} description={t('emptyDescription')} />
      ) : (
        <Card>
          <ol className="divide-y" aria-label={t('title')}>
            {data.map((event) => (
              <AuditEntry key={event.id} event={event} showsTeam={scope === 'installation'} />
            ))}
          </ol>
        </Card>
      )}
      <MoreLink path={path} query={filter} nextCursor={nextCursor} />
    </>
  )
}

/** Without fields that mean nothing, such as a day that there is not: addresses are written by people, too. */
function readable(given: Record<string, string>): Record<string, string> & AuditFilterInput {
  const { error } = auditFilterSchema.safeParse(given)
  const wrong = new Set(error?.issues.map(({ path: [field] }) => field))
  return Object.fromEntries(Object.entries(given).filter(([field]) => !wrong.has(field)))
}
