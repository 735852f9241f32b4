'use client'

import 'uplot/dist/uPlot.min.css'
import { useTheme } from 'next-themes'
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import { type Graph, lonelyPlaces, type Unit } from './graph.ts'
import { labelsOf } from './mark-labels.ts'

export interface Mark {
  /** Seconds since 1970. */
  at: number
  label: string
}

interface ChartProps {
  graph: Graph
  marks: Mark[]
  format(value: number): string
  locale: string
  onZoom(from: number, to: number): void
}

const height = 180
const colors = ['accent', 'ansi-magenta', 'ansi-yellow', 'ansi-blue', 'ansi-green', 'ansi-red']

/** Of the line with this place in its graph. */
export function colorOf(place: number): string {
  return `var(--${colors[place % colors.length]})`
}

/** Lines over time, with their limit and with what was deployed. All charts of a page have one cursor. */
export function Chart({ graph, marks, format, locale, onZoom }: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const { resolvedTheme } = useTheme()
  const zoom = useRef(onZoom)
  zoom.current = onZoom

  // biome-ignore lint/correctness/useExhaustiveDependencies: a canvas has colours of its own: drawn anew in another theme
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const style = getComputedStyle(element)
    const color = (name: string) => style.getPropertyValue(`--${name}`).trim()
    const font = `11px ${style.fontFamily}`
    const axis = {
      stroke: color('muted'),
      font,
      grid: { stroke: color('border'), width: 1 },
      ticks: { show: false },
    }
    const plot = new uPlot(
      {
        ...{ width: element.clientWidth, height },
        legend: { show: false },
        cursor: { sync: { key: 'metrics' }, drag: { x: true, y: false, setScale: false }, y: false },
        scales: {
          y: {
            range: (_, _least, most) => [
              0,
              Math.max(most ?? 0, graph.limit ?? 0, Number.MIN_VALUE) * 1.08 || 1,
            ],
          },
        },
        axes: [
          { ...axis, size: 28, values: (_, times) => times.map(clockOf(graph.times, locale)) },
          { ...axis, size: 72, values: (_, ticks) => ticks.map(format), ...ticksOf(graph.unit) },
        ],
        series: [
          {},
          ...graph.lines.map(({ name, values }, place) => {
            const stroke = color(colors[place % colors.length] ?? 'accent')
            const points = { show: true, size: 4, fill: stroke, filter: () => lonelyPlaces(values) }
            return { label: name, stroke, width: 1.75, points }
          }),
        ],
        hooks: {
          draw: [(drawn) => drawRest(drawn, { limit: graph.limit, marks, color, font })],
          setSelect: [
            (selected) => {
              const { left, width } = selected.select
              if (width < 8) return
              zoom.current(selected.posToVal(left, 'x'), selected.posToVal(left + width, 'x'))
              selected.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
            },
          ],
        },
      },
      [graph.times, ...graph.lines.map(({ values }) => values)],
      element,
    )
    const resizing = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
    resizing.observe(element)
    return () => {
      resizing.disconnect()
      plot.destroy()
    }
  }, [graph, marks, format, locale, resolvedTheme])

  return <div ref={box} aria-hidden className="min-w-0 overflow-hidden" />
}

/** KiB and MiB are round where powers of two are. */
function ticksOf(unit: Unit): { incrs?: number[] } {
  if (unit !== 'bytes' && unit !== 'bytesPerSecond') return {}
  return { incrs: Array.from({ length: 60 }, (_, power) => 2 ** power) }
}

/** Of a moment in seconds; with its day where the whole is longer than one. */
function clockOf(times: number[], locale: string): (time: number) => string {
  const isLong = (times.at(-1) ?? 0) - (times[0] ?? 0) > 86_400
  const format = new Intl.DateTimeFormat(locale, {
    ...(isLong ? { month: 'numeric', day: 'numeric' } : {}),
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  })
  return (time) => format.format(time * 1_000)
}

interface Rest {
  limit: number | null
  marks: Mark[]
  color(name: string): string
  font: string
}

function drawRest(plot: uPlot, { limit, marks, color, font }: Rest): void {
  const { ctx } = plot
  const { left, top, width, height } = plot.bbox
  ctx.save()
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio])
  if (limit !== null) {
    const y = plot.valToPos(limit, 'y', true)
    line(ctx, color('danger'), [left, y], [left + width, y])
  }
  ctx.setLineDash([])
  ctx.font = font.replace('11px', `${11 * devicePixelRatio}px`)
  const shown = marks
    .map(({ at, label }) => ({ label, x: plot.valToPos(at, 'x', true) }))
    .filter(({ x }) => x >= left && x <= left + width)
  for (const { x } of shown) line(ctx, color('border-strong'), [x, top], [x, top + height])
  ctx.fillStyle = color('muted')
  const widthOf = (text: string) => ctx.measureText(text).width
  for (const { text, x } of labelsOf(shown, { right: left + width, gap: 4 * devicePixelRatio, widthOf }))
    ctx.fillText(text, x, top + height - 6 * devicePixelRatio)
  ctx.restore()
}

function line(
  ctx: CanvasRenderingContext2D,
  color: string,
  from: [number, number],
  to: [number, number],
): void {
  ctx.strokeStyle = color
  ctx.beginPath()
  ctx.moveTo(...from)
  ctx.lineTo(...to)
  ctx.stroke()
}
