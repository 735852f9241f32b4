'use client'

import { ChartLine, ZoomOut } from 'lucide-react'
import { useLocale, useTranslations } from 'next-intl'
import { useCallback, useMemo, useState } from 'react'
import { Button } from '../../../../../_ui/button.tsx'
import { EmptyState } from '../../../../../_ui/empty-state.tsx'
import { formatBytes } from '../../../../../_ui/format.ts'
import { Notice } from '../../../../../_ui/notice.tsx'
import { SelectField } from '../../../../../_ui/select.client.tsx'
import { Chart, colorOf, type Mark } from './chart.client.tsx'
import { type Graph, type GraphKind, graphKinds, graphOf } from './graphs.ts'
import { type Span, useMetrics } from './use-metrics.ts'

const spans = [1, 6, 24, 168, 720] as const

/** What an app's containers use, over time. */
export function MetricsView({ appId, path }: { appId: string; path: string }) {
  const t = useTranslations('metrics')
  const [hours, setHours] = useState<number>(1)
  const [zoomed, setZoomed] = useState<Span | null>(null)
  const { metrics, hasFailed } = useMetrics(appId, hours, zoomed)
  const graphs = useMemo(
    () => (metrics === null ? [] : graphKinds.map((kind) => graphOf(kind, metrics))),
    [metrics],
  )
  const marks = useMemo<Mark[]>(
    () =>
      (metrics?.deployments ?? []).map(({ number, liveAt }) => ({
        at: Date.parse(liveAt) / 1_000,
        label: `#${number}`,
      })),
    [metrics],
  )
  const zoom = useCallback(
    (from: number, to: number) => setZoomed({ from: Math.floor(from) * 1_000, to: Math.ceil(to) * 1_000 }),
    [],
  )
  const isEmpty = metrics !== null && metrics.series.length === 0
  return (
    <section aria-label={t('title')} className="space-y-4">
      <div className="flex flex-wrap items-end gap-3">
        <SelectField
          className="min-w-44"
          label={t('span')}
          value={String(hours)}
          onValueChange={(value) => {
            setHours(Number(value))
            setZoomed(null)
          }}
          items={spans.map((each) => ({ value: String(each), label: t(`spans.${each}`) }))}
        />
        {zoomed !== null && (
          <Button onClick={() => setZoomed(null)}>
            <ZoomOut aria-hidden />
            {t('whole')}
          </Button>
        )}
        <p className="self-center text-muted text-xs max-sm:hidden">{t('hint')}</p>
      </div>
      {hasFailed && <Notice tone="warning">{t('failed')}</Notice>}
      {isEmpty && <EmptyState icon={ChartLine} title={t('emptyTitle')} description={t('emptyDescription')} />}
      {!isEmpty && (
        <div className="grid gap-4 xl:grid-cols-2">
          {graphs.map((graph) => (
            <GraphCard key={graph.kind.name} graph={graph} marks={marks} onZoom={zoom} />
          ))}
        </div>
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

interface GraphCardProps {
  graph: Graph
  marks: Mark[]
  onZoom(from: number, to: number): void
}

/** The picture, and the same in numbers. */
function GraphCard({ graph, marks, onZoom }: GraphCardProps) {
  const t = useTranslations('metrics')
  const locale = useLocale()
  const { name, unit } = graph.kind
  const format = useCallback((value: number) => formatValue(value, unit, locale), [unit, locale])
  const show = (value: number | null) => (value === null ? '–' : format(value))
  return (
    <figure className="min-w-0 rounded-xl border bg-surface p-4 shadow-card">
      <figcaption className="mb-2 flex items-baseline justify-between gap-3">
        <span className="font-medium">{t(`graphs.${name}`)}</span>
        {graph.limit !== null && (
          <span className="text-muted text-xs">{t('limit', { limit: format(graph.limit) })}</span>
        )}
      </figcaption>
      <Chart graph={graph} marks={marks} format={format} locale={locale} onZoom={onZoom} />
      <table className="mt-2 w-full text-left text-xs">
        <caption className="sr-only">{t('numbers', { graph: t(`graphs.${name}`) })}</caption>
        <thead className="text-muted">
          <tr>
            <th scope="col" className="py-1 font-normal">
              {t('replica')}
            </th>
            {(['last', 'mean', 'peak'] as const).map((column) => (
              <th key={column} scope="col" className="py-1 text-right font-normal">
                {t(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="tabular-nums">
          {graph.lines.map((line, place) => (
            <tr key={line.name} className="border-t">
              <th scope="row" className="py-1 font-normal">
                <span
                  aria-hidden
                  className="mr-2 inline-block h-0.5 w-3 align-middle"
                  style={{ background: colorOf(place) }}
                />
                {line.name}
              </th>
              {(['last', 'mean', 'peak'] as const).map((column) => (
                <td key={column} className="py-1 text-right">
                  {show(line[column])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  )
}

function formatValue(value: number, unit: GraphKind['unit'], locale: string): string {
  if (unit === 'bytes') return formatBytes(value, locale)
  if (unit === 'bytesPerSecond') return `${formatBytes(value, locale)}/s`
  return new Intl.NumberFormat(locale, { maximumFractionDigits: unit === 'cores' ? 3 : 0 }).format(value)
}
