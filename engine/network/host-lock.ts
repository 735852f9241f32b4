import { closeSync, mkdirSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from '../errors.ts'
import { tryLock } from '../sys/syscalls.ts'

const folder = '/run/berth'
const waitMs = 30_000

/** Engines side by side take free address ranges one after another: what one finds free stays so until it is used. */
export async function withHostLock<T>(work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true, mode: 0o711 })
  const fd = openSync(`${folder}/subnets.lock`, 'a', 0o600)
  try {
    const until = Date.now() + waitMs
    while (!tryLock(fd)) {
      if (Date.now() > until)
        throw new EngineError('unavailable', `another engine held ${folder}/subnets.lock for ${waitMs} ms`)
      await sleep(5)
    }
    return await work()
  } finally {
    closeSync(fd)
  }
}
