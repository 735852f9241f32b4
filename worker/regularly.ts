import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Does the work again and again, with a pause before each time, until the signal. A failure is told and not the end.
 * @param options.atOnce without a pause before the first time.
 */
export async function regularly(
  everyMs: number,
  signal: AbortSignal,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
  options: { atOnce?: boolean } = {},
): Promise<void> {
  if (options.atOnce && !signal.aborted) await work().catch(onError)
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
    if (!signal.aborted) await work().catch(onError)
  }
}
