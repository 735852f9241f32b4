/** One half of the log store, in a thread of its own: SQLite works at once, and the worker must not wait for it. */
import { parentPort, workerData } from 'node:worker_threads'
import { LogReader } from './reader.ts'
import { LogWriter } from './writer.ts'

const { folder, half } = workerData as { folder: string; half: 'reader' | 'writer' }
const store = half === 'writer' ? new LogWriter(folder) : new LogReader(folder)

parentPort?.on('message', ({ id, method, values }: { id: number; method: string; values: unknown[] }) => {
  try {
    const work = (store as unknown as Record<string, (...values: unknown[]) => unknown>)[method]
    parentPort?.postMessage({ id, value: work?.apply(store, values) })
  } catch (error) {
    parentPort?.postMessage({ id, error })
  }
})
