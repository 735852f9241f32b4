import type { Engine } from '../engine/index.ts'
import type { Logger } from '../platform/log.ts'
import type { Platform } from '../platform/open.ts'
import type { BuildTurns } from './builds/turns.ts'
import type { Edge } from './edge/edge.ts'
import type { Locks } from './locks.ts'
import type { LogCollector } from './logs/collector.ts'
import type { LogStore } from './logs/store/log-store.ts'
import type { Ports } from './ports.ts'

/** Everything that the jobs of this host work with. Made once, in main.ts. */
export interface Host {
  readonly id: string
  readonly platform: Platform
  readonly engine: Engine
  /** Brings what comes from outside to containers: by HTTP, and by `ports`. */
  readonly edge: Edge
  readonly ports: Ports
  readonly logs: LogCollector
  readonly logStore: LogStore
  readonly locks: Locks
  /** At most so many deployments at once, so that a burst of them does not starve what runs. */
  readonly deploySlots: <T>(work: () => Promise<T>) => Promise<T>
  /** Whose source is built next. */
  readonly buildTurns: BuildTurns
  /** At most so many repositories are looked at at once. */
  readonly gitSlots: <T>(work: () => Promise<T>) => Promise<T>
  /** At most so many commands that run once. */
  readonly runSlots: <T>(work: () => Promise<T>) => Promise<T>
  /** Containers that the worker itself ends: their end is no surprise. */
  readonly ending: Set<string>
  readonly log: Logger
}
