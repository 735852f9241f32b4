/** A pull in a process of its own, to be killed. */
import { openImageStore } from './image-store.ts'

const [reference = '', stateDir = ''] = process.argv.slice(2)
const store = await openImageStore(stateDir)
await store.images.pull(reference)
