/**
 * Changes of files wait while their file system is frozen, as for a snapshot of a volume, and each that waits holds one
 * of the process's few threads: so only so many are begun at once, and the others wait for their turn where it costs nothing.
 */
const most = 2

let running = 0
const waiting: (() => void)[] = []

export async function changing<T>(work: () => Promise<T>): Promise<T> {
  if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
  else running++
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}
