/** What a bench answers with: figures side by side, their ratios, and whether the budget of docs is met. */
import os from 'node:os'

/** A number, or the reason why there is none. */
export type Figure = number | string

/** What one contestant did, run by run; or why it could not. */
export type Samples = number[] | string

export interface Row {
  what: string
  unit: string
  berth: Figure
  peers: Record<string, Figure>
  /** Above 1 means that Berth is better. Only where both are numbers. */
  ratio: Record<string, number>
  budget: Budget | null
  /** Null where there is no budget, or where what it speaks of could not be measured. */
  met: boolean | null
  samples: Record<string, number[]>
}

/** Either the least ratio to each of some peers, or the most that Berth itself may take. */
export type Budget = { atLeast: Record<string, number> } | { atMost: number }

export interface Report {
  name: string
  machine: Record<string, string | number>
  runs: number
  rows: Row[]
}

export interface RowInput {
  what: string
  unit: string
  berth: Samples
  peers?: Record<string, Samples>
  budget?: Budget
  /** Whether less of the unit is better (time, memory) or more (a rate). */
  better?: 'less' | 'more'
}

export function makeRow({ what, unit, berth, peers = {}, budget, better = 'less' }: RowInput): Row {
  const ours = figureOf(berth)
  const theirs = Object.fromEntries(Object.entries(peers).map(([name, all]) => [name, figureOf(all)]))
  const ratio: Record<string, number> = {}
  for (const [name, figure] of Object.entries(theirs))
    if (typeof ours === 'number' && typeof figure === 'number' && ours > 0 && figure > 0)
      ratio[name] = round(better === 'less' ? figure / ours : ours / figure)
  const samples = Object.entries({ berth, ...peers }).flatMap(([name, all]) =>
    typeof all === 'string' ? [] : [[name, all.map(round)] as const],
  )
  return {
    what,
    unit,
    berth: ours,
    peers: theirs,
    ratio,
    budget: budget ?? null,
    met: budget ? isMet(budget, ours, ratio) : null,
    samples: Object.fromEntries(samples),
  }
}

function isMet(budget: Budget, berth: Figure, ratio: Record<string, number>): boolean | null {
  if ('atMost' in budget) return typeof berth === 'number' ? berth <= budget.atMost : null
  const all = Object.entries(budget.atLeast).map(([name, least]) => {
    const found = ratio[name]
    return found === undefined ? null : found >= least
  })
  if (all.includes(false)) return false
  return all.includes(null) ? null : true
}

function figureOf(samples: Samples): Figure {
  if (typeof samples === 'string') return samples
  return samples.length === 0 ? 'it was not run' : round(median(samples))
}

export function median(samples: number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** How many times the one is the other, by their medians. */
export function timesOver(small: Samples, large: Samples): Samples {
  if (typeof small === 'string' || typeof large === 'string') return 'one of the two was not measured'
  return [median(large) / median(small)]
}

/** Three digits say all that a noisy machine can. */
function round(value: number): number {
  return Number(value.toPrecision(3))
}

export function describeMachine(): Report['machine'] {
  return {
    cpus: os.cpus().length,
    cpu: os.cpus()[0]?.model ?? 'unknown',
    memoryGiB: round(os.totalmem() / 2 ** 30),
    kernel: os.release(),
    node: process.version,
    loadBefore: round(os.loadavg()[0] ?? 0),
  }
}

/** The report as a person reads it: one block for each row. */
export function formatReport({ name, machine, runs, rows }: Report): string {
  const head = `${name}: medians of ${runs} runs on ${machine.cpus} × ${machine.cpu}, kernel ${machine.kernel}, load ${machine.loadBefore} before`
  return [head, ...rows.map(formatRow)].join('\n\n')
}

function formatRow({ what, unit, berth, peers, ratio, budget, met, samples }: Row): string {
  const names = ['berth', ...Object.keys(peers)]
  const width = Math.max(...names.map((name) => name.length))
  const line = (name: string, figure: Figure) => {
    if (typeof figure === 'string') return `  ${name.padEnd(width)}  not measured: ${figure}`
    const all = samples[name] ?? []
    const spread = all.length > 1 ? ` (${Math.min(...all)}–${Math.max(...all)})` : ''
    const against = ratio[name] === undefined ? '' : `, ${ratio[name]}× Berth's`
    return `  ${name.padEnd(width)}  ${figure} ${unit}${spread}${against}`
  }
  const verdict = budget
    ? [`  budget: ${formatBudget(budget, unit)}: ${met === null ? 'not known' : met ? 'met' : 'NOT met'}`]
    : []
  const all = Object.entries(peers).map(([name, figure]) => line(name, figure))
  return [what, line('berth', berth), ...all, ...verdict].join('\n')
}

function formatBudget(budget: Budget, unit: string): string {
  if ('atMost' in budget) return `at most ${budget.atMost} ${unit}`
  return Object.entries(budget.atLeast)
    .map(([name, least]) => `${least} times as good as ${name}`)
    .join(', ')
}
