'use client'

import { useLocale, useTranslations } from 'next-intl'
import { useCallback } from 'react'
import { formatBytes } from '../_ui/format.ts'
import { Chart, colorOf, type Mark } from './chart.client.tsx'
import type { Graph, Unit } from './graph.ts'

const noMarks: Mark[] = []
const columns = ['last', 'mean', 'peak'] as const

interface GraphCardProps {
  graph: Graph
  title: string
  /** What its lines are, as a heading of the numbers. */
  column: string
  /** Words for the names of lines that are none themselves. */
  nameOf?: (line: string) => string
  marks?: Mark[]
  onZoom(from: number, to: number): void
}

/** The picture, and the same in numbers. */
export function GraphCard({ graph, title, column, nameOf, marks = noMarks, onZoom }: GraphCardProps) {
  const t = useTranslations('metrics')
  const locale = useLocale()
  const { unit } = graph
  const format = useCallback((value: number) => formatValue(value, unit, locale), [unit, locale])
  const show = (value: number | null) => (value === null ? '–' : format(value))
  return (
    <figure className="min-w-0 rounded-xl border bg-surface p-4 shadow-card">
      <figcaption className="mb-2 flex items-baseline justify-between gap-3">
        <span className="font-medium">{title}</span>
        {graph.limit !== null && (
          <span className="text-muted text-xs">{t('limit', { limit: format(graph.limit) })}</span>
        )}
      </figcaption>
      <Chart graph={graph} marks={marks} format={format} locale={locale} onZoom={onZoom} />
      <table className="mt-2 w-full text-left text-xs">
        <caption className="sr-only">{t('numbers', { graph: title })}</caption>
        <thead className="text-muted">
          <tr>
            <th scope="col" className="py-1 font-normal">
              {column}
            </th>
            {columns.map((each) => (
              <th key={each} scope="col" className="py-1 text-right font-normal">
                {t(each === 'mean' && unit === 'milliseconds' ? 'overall' : each)}
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
                {nameOf?.(line.name) ?? line.name}
              </th>
              {columns.map((each) => (
                <td key={each} className="py-1 text-right">
                  {show(line[each])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  )
}

export function formatValue(value: number, unit: Unit, locale: string): string {
  if (unit === 'bytes') return formatBytes(value, locale)
  if (unit === 'bytesPerSecond') return `${formatBytes(value, locale)}/s`
  if (unit === 'milliseconds') return formatMilliseconds(value, locale)
  if (unit === 'perSecond') {
    const digits = value < 10 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 0 }
    return `${new Intl.NumberFormat(locale, digits).format(value)}/s`
  }
  const maximumFractionDigits = unit === 'cores' ? 3 : value < 10 ? 1 : 0
  return new Intl.NumberFormat(locale, { maximumFractionDigits }).format(value)
}

function formatMilliseconds(value: number, locale: string): string {
  const [amount, unit] = value < 1_000 ? [value, 'millisecond'] : [value / 1_000, 'second']
  return new Intl.NumberFormat(locale, {
    ...{ style: 'unit', unit, unitDisplay: 'short' },
    maximumFractionDigits: amount < 10 ? 1 : 0,
  }).format(amount)
}
