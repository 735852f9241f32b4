import { setTimeout as sleep } from 'node:timers/promises'
import { patience } from './patience.ts'

/** Waits until `check` answers something true; an error counts as no. Fails with `what` and the last error at the limit. */
export async function until<T>(
  what: string,
  check: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  limitMs = 60_000,
): Promise<T> {
  const end = Date.now() + limitMs * patience
  let last: unknown
  for (;;) {
    try {
      const found = await check()
      if (found) return found
      last = undefined
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`waited ${limitMs * patience} ms in vain: ${what}`, { cause: last })
    await sleep(25)
  }
}
