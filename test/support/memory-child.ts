/** By how many bytes a process grows while it pulls an image and pushes it elsewhere. Says so in one line of JSON. */
import { readFileSync, writeFileSync } from 'node:fs'
import { openImageStore } from './image-store.ts'

const [stateDir = '', small = '', large = '', smallTarget = '', largeTarget = ''] = process.argv.slice(2)
const store = await openImageStore(stateDir)
// What loads code is not what counts.
await store.images.pull(small)
await store.images.push(small, { to: smallTarget })
const pull = await growth(() => store.images.pull(large))
const push = await growth(() => store.images.push(large, { to: largeTarget }))
await store.close()
console.log(JSON.stringify({ pull, push }))

async function growth(work: () => Promise<unknown>): Promise<number> {
  // The peak begins anew. Source: proc(5), clear_refs.
  writeFileSync('/proc/self/clear_refs', '5')
  const before = memory('VmRSS')
  await work()
  return memory('VmHWM') - before
}

function memory(key: string): number {
  const status = readFileSync('/proc/self/status', 'utf8')
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024
}
