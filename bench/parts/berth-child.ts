/** Berth's engine in a process of its own, told what to do by messages. It ends with whoever started it. */
import { performance } from 'node:perf_hooks'
import { createEngine, type EngineOptions } from '../../engine/index.ts'

export interface BerthCall {
  pull: string
}

export type BerthAnswer = { seconds: number } | { error: string }

const answer = (message: BerthAnswer) => void process.send?.(message)
const says = (error: unknown) => (error instanceof Error ? error.message : String(error))
const opening = createEngine(JSON.parse(process.argv[2] ?? '') as EngineOptions)
opening.then(
  () => answer({ seconds: 0 }),
  (error) => answer({ error: says(error) }),
)

process.on('message', async (call: BerthCall) => {
  const engine = await opening
  const startMs = performance.now()
  try {
    await engine.images.pull(call.pull)
    answer({ seconds: (performance.now() - startMs) / 1_000 })
  } catch (error) {
    answer({ error: says(error) })
  }
})

process.once('disconnect', async () => {
  await opening.then((engine) => engine.close()).catch(() => {})
  process.exit()
})
