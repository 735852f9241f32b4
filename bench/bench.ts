/**
 * A bench compares Berth with its peers: the same work, in turns, within one run. Each is one file in `benches/`, named
 * as `./berth bench NAME` calls it; that is all there is to adding one.
 */
import type { NeededPackage } from '../cli/prepare/packages.ts'
import type { Row } from './report.ts'

export interface Bench {
  /** One line for `./berth bench`. */
  description: string
  /** Debian packages of the peers and of what makes the images; installed before `run`, with their reasons. */
  packages: NeededPackage[]
  run(context: BenchContext): Promise<Row[]>
}

export interface BenchContext {
  /** How often each contestant has its turn. */
  runs: number
  /** A folder of this run's own, gone afterwards. Processes that work in it are listed by `defer`. */
  folder: string
  /** What takes long to make is made once and kept here. */
  cache: string
  /** Fires at Ctrl-C; whoever waits gives up then. */
  signal: AbortSignal
  /** Says what is going on, to a person. */
  note(text: string): void
  /** Registers what undoes something, before it is done. All run at the end, the last one first. */
  defer(undo: () => unknown): void
}
