'use client'

import Link from 'next/link'
import { useLocale, useTranslations } from 'next-intl'
import { useMemo } from 'react'
import { formatValue, GraphCard } from '@/app/_charts/graph-card.client.tsx'
import { GraphsState } from '@/app/_charts/graphs-state.tsx'
import { NumberTable } from '@/app/_charts/number-table.tsx'
import { type TeamGraphName, teamGraphs } from '@/app/_charts/point-graphs.ts'
import { SpanPicker, useSpan } from '@/app/_charts/span-picker.client.tsx'
import { useMetrics } from '@/app/_charts/use-metrics.ts'
import type { TeamMetrics } from '@/platform/model/metrics.ts'

/** What the team's apps used and were asked together, and which of them the most. */
export function TeamMetricsView({ teamId, teamSlug }: { teamId: string; teamSlug: string }) {
  const t = useTranslations('metrics')
  const span = useSpan()
  const { metrics, hasFailed } = useMetrics<TeamMetrics>(
    `/api/v1/teams/${teamId}/metrics`,
    span.hours,
    span.zoomed,
  )
  const graphs = useMemo(() => (metrics === null ? [] : teamGraphs(metrics)), [metrics])
  const isLine = (line: string): line is 'all' | 'in' | 'out' => line !== '5xx'
  return (
    <section aria-label={t('team')} className="space-y-4">
      <h2 className="font-semibold">{t('team')}</h2>
      <SpanPicker span={span} />
      <GraphsState areThere={metrics !== null} hasFailed={hasFailed} />
      <div className="grid gap-4 xl:grid-cols-2">
        {graphs.map((graph) => (
          <GraphCard
            key={graph.name}
            graph={graph}
            title={t(`graphs.${graph.name as TeamGraphName}`)}
            column={t('apps')}
            nameOf={(line) => (isLine(line) ? t(`teamLines.${line}`) : line)}
            onZoom={span.zoom}
          />
        ))}
      </div>
      {metrics !== null && metrics.apps.length > 0 && <TopApps apps={metrics.apps} path={`/${teamSlug}`} />}
    </section>
  )
}

function TopApps({ apps, path }: { apps: TeamMetrics['apps']; path: string }) {
  const t = useTranslations('metrics')
  const locale = useLocale()
  const number = new Intl.NumberFormat(locale)
  const columns = ['app', 'cpu', 'memory', 'requests', 'errors', 'sent'] as const
  return (
    <NumberTable
      caption={t('topApps')}
      columns={columns.map((column) => t(`appColumns.${column}`))}
      rows={apps.map(({ id, name, slug, project, ...used }) => ({
        key: id,
        name: (
          <Link href={`${path}/${project}/${slug}/metrics`} className="rounded text-accent-text underline">
            {name}
          </Link>
        ),
        cells: [
          used.cpuMillis === null ? '–' : formatValue(used.cpuMillis / 1_000, 'cores', locale),
          used.memoryBytes === null ? '–' : formatValue(used.memoryBytes, 'bytes', locale),
          number.format(used.requests),
          number.format(used.status5xx),
          formatValue(used.bytesOut, 'bytes', locale),
        ],
      }))}
    />
  )
}
