'use client'

import { ZoomOut } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { type ReactNode, useCallback, useState } from 'react'
import { Button } from '../_ui/button.tsx'
import { SelectField } from '../_ui/select.client.tsx'
import type { Span } from './use-metrics.ts'

const spans = [1, 6, 24, 168, 720] as const

export interface ChosenSpan {
  hours: number
  zoomed: Span | null
  setHours(hours: number): void
  /** Seconds since 1970. */
  zoom(from: number, to: number): void
  showAll(): void
}

export function useSpan(): ChosenSpan {
  const [hours, setHours] = useState<number>(1)
  const [zoomed, setZoomed] = useState<Span | null>(null)
  const zoom = useCallback(
    (from: number, to: number) => setZoomed({ from: Math.floor(from) * 1_000, to: Math.ceil(to) * 1_000 }),
    [],
  )
  return {
    ...{ hours, zoomed, zoom },
    setHours(next) {
      setHours(next)
      setZoomed(null)
    },
    showAll: () => setZoomed(null),
  }
}

/** Which time all graphs of a page are of. */
export function SpanPicker({ span, children }: { span: ChosenSpan; children?: ReactNode }) {
  const t = useTranslations('metrics')
  return (
    <div className="flex flex-wrap items-end gap-3">
      <SelectField
        className="min-w-44"
        label={t('span')}
        value={String(span.hours)}
        onValueChange={(value) => span.setHours(Number(value))}
        items={spans.map((each) => ({ value: String(each), label: t(`spans.${each}`) }))}
      />
      {children}
      {span.zoomed !== null && (
        <Button onClick={span.showAll}>
          <ZoomOut aria-hidden />
          {t('whole')}
        </Button>
      )}
      <p className="pb-2.5 text-muted text-xs max-sm:hidden">{t('hint')}</p>
    </div>
  )
}
