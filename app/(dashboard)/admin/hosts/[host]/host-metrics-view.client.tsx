'use client'

import { useTranslations } from 'next-intl'
import { useMemo } from 'react'
import { GraphCard } from '@/app/_charts/graph-card.client.tsx'
import { GraphsState } from '@/app/_charts/graphs-state.tsx'
import { type HostGraphName, hostGraphs } from '@/app/_charts/point-graphs.ts'
import { SpanPicker, useSpan } from '@/app/_charts/span-picker.client.tsx'
import { useMetrics } from '@/app/_charts/use-metrics.ts'
import type { HostMetrics } from '@/platform/model/metrics.ts'

export function HostMetricsView({ hostId }: { hostId: string }) {
  const t = useTranslations('metrics')
  const span = useSpan()
  const { metrics, hasFailed } = useMetrics<HostMetrics>(
    `/api/v1/admin/hosts/${hostId}/metrics`,
    span.hours,
    span.zoomed,
  )
  const graphs = useMemo(() => (metrics === null ? [] : hostGraphs(metrics)), [metrics])
  return (
    <section aria-label={t('title')} className="space-y-4">
      <SpanPicker span={span} />
      <GraphsState areThere={metrics !== null} hasFailed={hasFailed} />
      <div className="grid gap-4 xl:grid-cols-2">
        {graphs.map((graph) => (
          <GraphCard
            key={graph.name}
            graph={graph}
            title={t(`graphs.${graph.name as HostGraphName}`)}
            column={t('host')}
            nameOf={() => t('wholeHost')}
            onZoom={span.zoom}
          />
        ))}
      </div>
    </section>
  )
}
