'use client'

import { ChartLine } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useMemo } from 'react'
import type { Mark } from '@/app/_charts/chart.client.tsx'
import { GraphCard } from '@/app/_charts/graph-card.client.tsx'
import { GraphsState } from '@/app/_charts/graphs-state.tsx'
import { type ChosenSpan, SpanPicker, useSpan } from '@/app/_charts/span-picker.client.tsx'
import { useMetrics } from '@/app/_charts/use-metrics.ts'
import type { AppMetrics } from '@/platform/model/metrics.ts'
import { EmptyState } from '../../../../../_ui/empty-state.tsx'
import { graphKinds, graphOf } from './graphs.ts'
import { RequestGraphs } from './request-graphs.client.tsx'

/** What an app was asked and what its containers use, over time. */
export function MetricsView({ appId, path }: { appId: string; path: string }) {
  const t = useTranslations('metrics')
  const span = useSpan()
  const { metrics, hasFailed } = useMetrics<AppMetrics>(
    `/api/v1/apps/${appId}/metrics`,
    span.hours,
    span.zoomed,
  )
  const deployments = metrics?.deployments
  const marks = useMemo<Mark[]>(
    () =>
      (deployments ?? []).map(({ number, liveAt }) => ({
        at: Date.parse(liveAt) / 1_000,
        label: `#${number}`,
      })),
    [deployments],
  )
  return (
    <section aria-label={t('title')} className="space-y-4">
      <SpanPicker span={span} />
      <GraphsState areThere={metrics !== null} hasFailed={hasFailed} />
      {metrics !== null && (
        <>
          <RequestGraphs appId={appId} span={span} marks={marks} />
          <Containers metrics={metrics} span={span} marks={marks} />
        </>
      )}
      {metrics !== null && metrics.deployments.length > 0 && (
        <p className="text-muted text-sm">
          {t('deployments')}{' '}
          {metrics.deployments.map(({ id, number }) => (
            <a
              key={id}
              href={`${path}/deployments/${number}`}
              className="mr-2 rounded text-accent-text underline"
            >
              #{number}
            </a>
          ))}
        </p>
      )}
    </section>
  )
}

function Containers({ metrics, span, marks }: { metrics: AppMetrics; span: ChosenSpan; marks: Mark[] }) {
  const t = useTranslations('metrics')
  const graphs = useMemo(() => graphKinds.map((kind) => ({ kind, graph: graphOf(kind, metrics) })), [metrics])
  return (
    <section aria-labelledby="containers" className="space-y-3">
      <h2 id="containers" className="font-semibold">
        {t('containers')}
      </h2>
      {metrics.series.length === 0 ? (
        <EmptyState icon={ChartLine} title={t('emptyTitle')} description={t('emptyDescription')} />
      ) : (
        <div className="grid gap-4 xl:grid-cols-2">
          {graphs.map(({ kind, graph }) => (
            <GraphCard
              key={kind.name}
              {...{ graph, marks }}
              title={t(`graphs.${kind.name}`)}
              column={t('replica')}
              onZoom={span.zoom}
            />
          ))}
        </div>
      )}
    </section>
  )
}
