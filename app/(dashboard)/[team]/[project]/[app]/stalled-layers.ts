import type { LayerProgress } from '@/platform/model/events.ts'

/** A registry that sends nothing for so long is worth a word; the worker waits longer before it tries again. */
export const stalledAfterMs = 5_000

export interface SeenLayer {
  doneBytes: number
  /** When the last of its bytes came, as far as one saw it. */
  atMs: number
}

/** Layers that are on their way, each with when its bytes last became more. */
export function afterLayers(
  seen: ReadonlyMap<string, SeenLayer>,
  layers: LayerProgress[],
  nowMs: number,
): Map<string, SeenLayer> {
  const coming = layers.filter(({ state }) => state === 'downloading')
  return new Map(
    coming.map(({ digest, doneBytes }) => {
      const before = seen.get(digest)
      return [digest, before?.doneBytes === doneBytes ? before : { doneBytes, atMs: nowMs }]
    }),
  )
}

/** Layers of which nothing came for a while, each with whole seconds. */
export function stalledLayers(seen: ReadonlyMap<string, SeenLayer>, nowMs: number): Map<string, number> {
  const quiet = [...seen].filter(([, { atMs }]) => nowMs - atMs >= stalledAfterMs)
  return new Map(quiet.map(([digest, { atMs }]) => [digest, Math.floor((nowMs - atMs) / 1_000)]))
}
