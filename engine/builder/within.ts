import type { Sandbox } from './sandbox.ts'

export interface Within {
  timeMs: number
  signal: AbortSignal | undefined
  /** What the work fails with when its time is over. */
  timedOut: (message: string) => Error
}

/**
 * Ends all that runs in a sandbox when its time is over or it is called off. The work fails with that then, however else
 * it fails: a container that was killed does so in ways of its own.
 */
export async function within<T>(
  { kill }: Pick<Sandbox, 'kill'>,
  { timeMs, signal, timedOut }: Within,
  work: (throwIfOver: () => void) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(timeMs)
  const over = AbortSignal.any([deadline, ...(signal === undefined ? [] : [signal])])
  function throwIfOver(): void {
    signal?.throwIfAborted()
    if (deadline.aborted) throw timedOut(`it took longer than ${Math.round(timeMs / 1_000)} s`)
  }
  const end = () => {
    kill().catch(() => undefined)
  }
  over.addEventListener('abort', end, { once: true })
  try {
    throwIfOver()
    return await work(throwIfOver)
  } catch (error) {
    throwIfOver()
    throw error
  } finally {
    over.removeEventListener('abort', end)
  }
}
