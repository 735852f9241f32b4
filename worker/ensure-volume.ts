import { isEngineError } from '../engine/index.ts'
import type { Host } from './host.ts'

/** Makes room for it on this host, unless that was done: whatever its size came to be since, it stays. */
export async function ensureVolume(
  { engine }: Host,
  { id, sizeBytes, idRange }: { id: string; sizeBytes: number; idRange: { base: number; size: number } },
): Promise<void> {
  try {
    await engine.volumes.inspect(id)
  } catch (error) {
    if (!isEngineError(error, 'not-found')) throw error
    await engine.volumes.create({ name: id, idRange, sizeBytes })
  }
}
