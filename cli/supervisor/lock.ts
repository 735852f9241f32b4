import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Takes a lock among all processes of this host; answers how to let go of it, or null when somebody has it. It is a
 * socket of unix(7)'s abstract kind: the kernel lets go of it when its process ends, however it ends.
 */
export function takeLock(name: string): Promise<(() => void) | null> {
  const id = createHash('sha256').update(name).digest('hex').slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    )
    server.listen(`\0berth-${id}`, () => {
      server.unref()
      resolve(() => server.close())
    })
  })
}

/** Does the work alone; `onWait` is called every two seconds while somebody else has to finish first. */
export async function withLock<T>(name: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  for (let round = 0; ; round++) {
    const letGo = await takeLock(name)
    if (letGo !== null) {
      try {
        return await work()
      } finally {
        letGo()
      }
    }
    if (round % 10 === 0) onWait()
    await sleep(200)
  }
}
