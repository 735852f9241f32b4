/** A registry of the test's own that can lie, break off and stall: a hostile neighbour. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BuiltImage } from './images.ts'

export interface SeenRequest {
  path: string
  authorization: string | undefined
  range: string | undefined
}

export interface HostileRegistry {
  /** Such as 127.0.0.1:40123. */
  host: string
  seen: SeenRequest[]
  close(): void
}

/** What is sent of a blob. `cut` closes the connection after it, `stall` leaves it open and says nothing more. */
export interface BlobAnswer {
  bytes: Buffer
  ending?: 'cut' | 'stall'
}

export type AnswerBlob = (digest: string, bytes: Buffer, from: number) => BlobAnswer

const honest: AnswerBlob = (_digest, bytes, from) => ({ bytes: bytes.subarray(from) })

export function serveImage(image: BuiltImage, answer: AnswerBlob = honest): Promise<HostileRegistry> {
  return serve((request, response) => {
    const path = request.url ?? ''
    if (path.includes('/manifests/')) return void response.end(image.manifest)
    const digest = path.split('/').at(-1) ?? ''
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const whole = image.blobs.get(digest) ?? Buffer.alloc(0)
    const { bytes, ending } = answer(digest, whole, from)
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': String(whole.length - from),
      ...(from > 0 ? { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` } : {}),
    })
    response.write(bytes, () => {
      if (ending === 'cut') response.socket?.end()
      else if (ending !== 'stall') response.end()
    })
  })
}

export async function serve(listener: RequestListener): Promise<HostileRegistry> {
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => {
    const { authorization, range } = request.headers
    seen.push({ path: request.url ?? '', authorization, range })
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
