import { setTimeout as sleep } from 'node:timers/promises'

/** Does the work again and again, with a pause before each time, until the signal. A failure is told and not the end. */
export async function regularly(
  everyMs: number,
  signal: AbortSignal,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
    if (!signal.aborted) await work().catch(onError)
  }
}
