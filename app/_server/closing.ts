// Shared by all bundles of the process, as in platform.ts.
const shared = globalThis as typeof globalThis & { __berthClosing?: AbortController }

/** Aborts when the process is asked to end: event streams are open for hours, and the server waits for every answer. */
export function closingSignal(): AbortSignal {
  shared.__berthClosing ??= new AbortController()
  return shared.__berthClosing.signal
}

export function beginClosing(): void {
  closingSignal()
  shared.__berthClosing?.abort()
}
