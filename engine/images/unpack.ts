import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EngineError } from '../errors.ts'
import { type Digest, verifyStream } from '../oci/digest.ts'
import { startNodeChild } from '../sys/node-child.ts'
import { decompress } from './decompress.ts'
import type { UnpackAnswer, UnpackRequest } from './unpack-child.ts'

const maxUnpackedBytes = 64 * 2 ** 30
const maxEntries = 4_000_000

/**
 * Unpacks a compressed layer into an empty folder of our own and checks that it is what its diffID says.
 * Answers with the folders that the layer implies and does not list. Throws corrupt and limit-exceeded.
 */
export async function unpackLayer(
  source: Readable,
  diffId: Digest,
  folder: string,
  signal?: AbortSignal,
): Promise<{ implied: string[] }> {
  const child = startNodeChild(new URL('./unpack-child.ts', import.meta.url), { signal })
  const input = child.stdin
  if (!input) throw new EngineError('internal', 'the unpacking process has no input')
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-4_096)
  })
  const answered = new Promise<UnpackAnswer | null>((resolve) => {
    child.once('message', (answer) => resolve(answer as UnpackAnswer))
    child.once('close', () => resolve(null))
    child.once('error', () => resolve(null))
  })
  const request: UnpackRequest = { root: folder, maxBytes: maxUnpackedBytes, maxEntries }
  child.send(request)
  try {
    // The process may say no before it has read all: its answer then tells more than the broken pipe.
    const sent = pipeline(
      source,
      await decompress(source),
      verifyStream(diffId, `unpacked layer ${diffId}`),
      input,
      {
        signal,
      },
    ).then(
      () => null,
      (error: unknown) => error,
    )
    const [answer, failure] = await Promise.all([answered, sent])
    signal?.throwIfAborted()
    if (answer?.ok === false)
      throw new EngineError(answer.kind, `layer ${diffId} cannot be unpacked: ${answer.message}`)
    if (failure) throw failure
    if (answer === null)
      throw new EngineError('internal', `the process that unpacked ${diffId} ended: ${stderr}`)
    return { implied: answer.implied }
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}
