/**
 * How those who need the same layer at the same time share the work. They take turns at it, so that it is fetched once;
 * what one of them does, all who hold the layer are told; and a layer that was unpacked but not yet committed waits for
 * the next of them until the last one lets go.
 */
import { createKeyedLock } from '../state/keyed-lock.ts'
import type { LayerProgress } from './images.ts'
import type { Findings } from './layer-writer.ts'

export type ReportLayer = (state: LayerProgress['state'], doneBytes: number) => void

export interface StagedLayer extends Findings {
  folder: string
}

export interface HeldLayer {
  staged: StagedLayer | null
  /** Tells everybody who holds it. */
  tell: ReportLayer
}

export interface HeldLayers {
  /** Holds a layer until the answer's `release` is called. `report` hears what anybody does with it. */
  hold(diffId: string, report: ReportLayer): { held: HeldLayer; release(): void }
  /** Runs work when nobody else is at this name. While it waits, the signal ends the wait. */
  takeTurn<T>(name: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>
}

/** @param discard called with what was unpacked and nobody waits for any more. */
export function createHeldLayers(discard: (staged: StagedLayer) => void): HeldLayers {
  const all = new Map<string, { held: HeldLayer; watchers: Set<ReportLayer> }>()
  const lock = createKeyedLock()

  function begin(diffId: string) {
    const watchers = new Set<ReportLayer>()
    const tell: ReportLayer = (state, doneBytes) => {
      for (const watcher of watchers) watcher(state, doneBytes)
    }
    const entry = { held: { staged: null, tell }, watchers }
    all.set(diffId, entry)
    return entry
  }

  return {
    hold(diffId, report) {
      const { held, watchers } = all.get(diffId) ?? begin(diffId)
      // Its own function: one who holds a layer twice hears it twice and lets go twice.
      const watcher: ReportLayer = (state, doneBytes) => report(state, doneBytes)
      watchers.add(watcher)
      return {
        held,
        release() {
          if (!watchers.delete(watcher) || watchers.size > 0) return
          all.delete(diffId)
          if (held.staged) discard(held.staged)
        },
      }
    },

    async takeTurn(name, signal, work) {
      signal?.throwIfAborted()
      let isAtIt = false
      const turn = lock(name, async () => {
        signal?.throwIfAborted()
        isAtIt = true
        return work()
      })
      if (!signal) return turn
      let leave: (() => void) | undefined
      const calledOff = new Promise<never>((_, reject) => {
        leave = () => {
          // Work under way sees the signal itself and is waited for: it may hold files.
          if (!isAtIt) reject(signal.reason)
        }
        signal.addEventListener('abort', leave, { once: true })
      })
      turn.catch(() => {})
      try {
        return await Promise.race([turn, calledOff])
      } finally {
        if (leave) signal.removeEventListener('abort', leave)
      }
    },
  }
}
