import { useEffect, useRef, useState } from 'react'
import type { LayerProgress } from '@/platform/model/events.ts'
import { afterLayers, type SeenLayer, stalledLayers } from './stalled-layers.ts'

const lookEveryMs = 1_000

/** Digests of layers of which nothing came for a while, each with the seconds: no event tells of what does not happen. */
export function useStalledLayers(layers: LayerProgress[]): ReadonlyMap<string, number> {
  const seen = useRef<ReadonlyMap<string, SeenLayer>>(new Map())
  const [stalled, setStalled] = useState<ReadonlyMap<string, number>>(new Map())
  useEffect(() => {
    seen.current = afterLayers(seen.current, layers, performance.now())
    const look = () => setStalled(stalledLayers(seen.current, performance.now()))
    look()
    const timer = setInterval(look, lookEveryMs)
    return () => clearInterval(timer)
  }, [layers])
  return stalled
}
