import { Filter } from 'lucide-react'
import { getTranslations } from 'next-intl/server'
import { auditAreas } from '@/platform/model/audit-actions.ts'
import { Button } from '../_ui/button.tsx'
import { TextField } from '../_ui/field.client.tsx'
import { QuerySelect } from '../_ui/query-select.client.tsx'

/** Which entries the log shows; they stand in the page's address. */
export async function AuditFilter({ filter }: { filter: Record<string, string> }) {
  const t = await getTranslations('audit')
  const { actor, action = '', target, since, until } = filter
  const known = auditAreas.some((area) => area === action)
  return (
    <search className="mb-5 block">
      <form method="get" className="grid items-end gap-3 sm:grid-cols-2 lg:grid-cols-6">
        <TextField label={t('filter.actor')} name="actor" defaultValue={actor} maxLength={200} />
        <QuerySelect
          label={t('filter.action')}
          name="action"
          value={action}
          items={[
            { value: '', label: t('filter.any') },
            ...auditAreas.map((area) => ({ value: area, label: t(`area.${area}`) })),
            ...(known || action === '' ? [] : [{ value: action, label: action }]),
          ]}
        />
        <TextField label={t('filter.target')} name="target" defaultValue={target} maxLength={200} />
        <TextField label={t('filter.since')} name="since" type="date" defaultValue={since?.slice(0, 10)} />
        <TextField label={t('filter.until')} name="until" type="date" defaultValue={until?.slice(0, 10)} />
        <Button type="submit">
          <Filter aria-hidden />
          {t('filter.apply')}
        </Button>
      </form>
    </search>
  )
}
