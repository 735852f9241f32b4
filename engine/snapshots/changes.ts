import { PassThrough, type Readable } from 'node:stream'
import { EngineError } from '../errors.ts'
import { mountNamespace } from '../sys/confine.ts'
import { startRootChild } from '../sys/root-child.ts'
import type { IdRange } from '../sys/user-namespace.ts'
import type { ChangesRequest } from './changes-child.ts'

const maxHeapMegabytes = 512

/** A writable layer as a layer's tar; it ends well only when all of it was read. */
export function readChanges(folder: string, idRange: IdRange, signal?: AbortSignal): Readable {
  const output = new PassThrough({ highWaterMark: 1 << 20 })
  const child = startRootChild(new URL('./changes-child.ts', import.meta.url), {
    maxHeapMegabytes,
    signal,
  })
  let said = ''
  child.stderr?.on('data', (text) => {
    said = (said + text).slice(-4_096)
  })
  child.on('error', (error) => {
    said ||= error.message
  })
  child.stdout?.pipe(output, { end: false })
  child.once('close', (code) => {
    if (code === 0) output.end()
    else if (signal?.aborted) output.destroy(signal.reason)
    else
      output.destroy(
        new EngineError(
          'internal',
          `what the container changed cannot be read: ${said.trim() || `code ${code}`}`,
        ),
      )
  })
  // Nobody reads on.
  output.once('close', () => child.kill('SIGKILL'))
  const request: ChangesRequest = { root: folder, outside: mountNamespace(), idRange }
  child.send(request)
  return output
}
