/** What a chart draws, whatever it was measured of. Pure. */
export type Unit = 'cores' | 'bytes' | 'bytesPerSecond' | 'count' | 'perSecond' | 'milliseconds'

export interface Line {
  name: string
  /** One for each of the graph's times. */
  values: (number | null)[]
  last: number | null
  /** Over the whole time. */
  mean: number | null
  peak: number | null
}

export interface Graph {
  name: string
  unit: Unit
  /** Seconds since 1970. */
  times: number[]
  lines: Line[]
  /** The highest there was. */
  limit: number | null
}

export interface Axis {
  times: number[]
  /** Place of a time among them; null where it is none of them. */
  placeOf(at: string): number | null
}

/** The times of all points that begin within a range. */
export function axisOf({ from, to, step }: { from: string; to: string; step: number }): Axis {
  const stepMs = step * 1_000
  const first = Math.ceil(Date.parse(from) / stepMs)
  const count = Math.max(0, Math.floor((Date.parse(to) - 1) / stepMs) - first + 1)
  return {
    times: Array.from({ length: count }, (_, index) => (first + index) * step),
    placeOf(at) {
      const place = Math.round(Date.parse(at) / stepMs) - first
      return place >= 0 && place < count ? place : null
    },
  }
}

/** Places of values with none beside them, which a line alone would not show. */
export function lonelyPlaces(values: readonly (number | null)[]): number[] {
  const isThere = (place: number) => (values[place] ?? null) !== null
  return values.flatMap((_, place) =>
    isThere(place) && !isThere(place - 1) && !isThere(place + 1) ? [place] : [],
  )
}

/** A line with its last value, its mean and its peak, unless they are known better. */
export function lineOf(name: string, values: (number | null)[], known: Partial<Line> = {}): Line {
  const there = values.filter((value) => value !== null)
  return {
    ...{ name, values, last: there.at(-1) ?? null },
    mean: there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length,
    peak: there.length === 0 ? null : Math.max(...there),
    ...known,
  }
}
