/** Lets git push over HTTP into repositories of the engine's: gitprotocol-http(5), with nobody asked who they are. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { createGunzip } from 'node:zlib'

export interface PushDoor {
  /** Of a repository, for git. */
  urlOf(repository: string): string
  close(): Promise<void>
}

export interface PushDoorWork {
  advertise(repository: string, sink: Writable): Promise<void>
  receive(repository: string, exchange: { input: Readable; output: Writable }): Promise<void>
}

const service = 'git-receive-pack'

/** Connections are cut where the work throws. */
export async function openPushDoor(work: PushDoorWork): Promise<PushDoor> {
  const server = createServer(async (request, response) => {
    const [, repository = '', what] =
      /^\/([^/?]+)\/(info\/refs|git-receive-pack)/.exec(request.url ?? '') ?? []
    try {
      if (what === 'info/refs') {
        response.setHeader('content-type', `application/x-${service}-advertisement`)
        response.write(`001f# service=${service}\n0000`)
        await work.advertise(repository, response)
      } else {
        const isPacked = request.headers['content-encoding'] === 'gzip'
        const input = isPacked ? request.pipe(createGunzip()) : request
        response.setHeader('content-type', `application/x-${service}-result`)
        await work.receive(repository, { input, output: response })
      }
      response.end()
    } catch {
      response.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    urlOf: (repository) => `http://127.0.0.1:${port}/${repository}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
