/** An engine in a process of its own, to be killed while it makes a snapshot of a volume. */
import { createEngine, type EngineOptions } from '../../engine/index.ts'

const { options, volume, id } = JSON.parse(process.argv[2] ?? '') as {
  options: EngineOptions
  volume: string
  id: string
}
const engine = await createEngine(options)
await engine.volumes.snapshots.create(id, { volume })
process.send?.('done')
