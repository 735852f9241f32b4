import { makeRow, type Row } from '../report.ts'

const mostMegabytes = 150

/** What docs promise of the engine's memory, whatever the size of a layer. */
export function growthRow(what: string, megabytes: number): Row {
  return makeRow({
    what: `peak memory growth of the engine's process while it ${what}`,
    unit: 'MB',
    berth: [megabytes],
    budget: { atMost: mostMegabytes },
  })
}
