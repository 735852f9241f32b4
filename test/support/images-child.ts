/** Pulls, loads, makes, saves and removes images in a process of its own for as long as it lives, to be killed. */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { openImageStore } from './image-store.ts'
import { makeTar } from './images.ts'

const [stateDir = '', archive = '', seed = '0', ...references] = process.argv.slice(2)
const store = await openImageStore(stateDir)
const layer = await makeTar([{ name: 'made', content: 'made' }])
let state = Number(seed)
const dice = (below: number) => {
  state = (state * 1_103_515_245 + 12_345) % 2 ** 31
  return Math.floor((state / 2 ** 31) * below)
}
const reference = () => references[dice(references.length)] ?? ''
const moves = [
  () => store.images.pull(reference()),
  () => store.images.pull(reference()),
  () => store.images.load(createReadStream(archive)),
  () => store.images.create(reference(), { layer: Readable.from([layer]), reference: 'made:1' }),
  () => store.images.remove(reference()),
  () => store.images.remove('made:1'),
  () => store.garbage.collect({ unusedForMs: 0, graceMs: 0 }),
]
process.send?.('ready')
async function play(): Promise<void> {
  for (;;)
    await moves[dice(moves.length)]?.().catch((error: { kind?: string }) => {
      if (error.kind !== 'not-found' && error.kind !== 'failed-precondition') throw error
    })
}
await Promise.all([play(), play()])
