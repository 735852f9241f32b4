'use client'

import { useLocale, useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import type { Mark } from '@/app/_charts/chart.client.tsx'
import { type EdgeGraphName, type EdgeLine, edgeGraphs } from '@/app/_charts/edge-graphs.ts'
import { formatValue, GraphCard } from '@/app/_charts/graph-card.client.tsx'
import { GraphsState } from '@/app/_charts/graphs-state.tsx'
import { NumberTable } from '@/app/_charts/number-table.tsx'
import type { ChosenSpan } from '@/app/_charts/span-picker.client.tsx'
import { useMetrics } from '@/app/_charts/use-metrics.ts'
import type { EdgeMetrics } from '@/platform/model/metrics.ts'
import { SelectField } from '../../../../../_ui/select.client.tsx'

interface RequestGraphsProps {
  appId: string
  span: ChosenSpan
  marks: Mark[]
}

/** What the edge counted of the app's domains, together or of one. */
export function RequestGraphs({ appId, span, marks }: RequestGraphsProps) {
  const t = useTranslations('metrics')
  const [domain, setDomain] = useState('')
  const query = domain === '' ? '' : `?${new URLSearchParams({ domain })}`
  const { metrics, hasFailed } = useMetrics<EdgeMetrics>(
    `/api/v1/apps/${appId}/metrics/requests${query}`,
    span.hours,
    span.zoomed,
  )
  const graphs = useMemo(() => (metrics === null ? [] : edgeGraphs(metrics)), [metrics])
  const domains = metrics?.domains ?? []
  return (
    <section aria-labelledby="requests" className="space-y-3">
      <div className="flex flex-wrap items-end justify-between gap-3">
        <h2 id="requests" className="font-semibold">
          {t('requests')}
        </h2>
        {(domains.length > 1 || domain !== '') && (
          <SelectField
            className="min-w-56 max-sm:w-full"
            label={t('domain')}
            value={domain}
            onValueChange={setDomain}
            items={[
              { value: '', label: t('allDomains') },
              ...[
                ...new Set([...domains.map((each) => each.domain), ...(domain === '' ? [] : [domain])]),
              ].map((each) => ({ value: each, label: each })),
            ]}
          />
        )}
      </div>
      <GraphsState areThere={metrics !== null} hasFailed={hasFailed} />
      <div className="grid gap-4 xl:grid-cols-2">
        {graphs.map((graph) => (
          <GraphCard
            key={graph.name}
            {...{ graph, marks }}
            title={t(`edgeGraphs.${graph.name as EdgeGraphName}`)}
            column={t(`edgeColumns.${graph.name as EdgeGraphName}`)}
            nameOf={(line) => (/^[p\d]/.test(line) ? line : t(`edgeLines.${line as EdgeLine}`))}
            onZoom={span.zoom}
          />
        ))}
      </div>
      {domains.length > 0 && <Domains domains={domains} />}
    </section>
  )
}

function Domains({ domains }: { domains: EdgeMetrics['domains'] }) {
  const t = useTranslations('metrics')
  const locale = useLocale()
  const number = new Intl.NumberFormat(locale)
  const columns = ['domain', 'requests', 'errors', 'p95', 'sent'] as const
  return (
    <NumberTable
      caption={t('byDomain')}
      columns={columns.map((column) => t(`domainColumns.${column}`))}
      rows={domains.map(({ domain, requests, status5xx, p95Ms, bytesOut }) => ({
        key: domain,
        name: domain,
        cells: [
          number.format(requests),
          number.format(status5xx),
          p95Ms === null ? '–' : formatValue(p95Ms, 'milliseconds', locale),
          formatValue(bytesOut, 'bytes', locale),
        ],
      }))}
    />
  )
}
