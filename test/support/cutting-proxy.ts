/** A way to a server on loopback that breaks. */
import { type AddressInfo, connect, createServer } from 'node:net'

export interface CuttingProxy {
  host: string
  /** How many connections were cut. */
  cuts: number
  close(): void
}

/**
 * @param passes how many bytes of this chunk from a client get through, given what it is; less than its length cuts
 *   the connection, and what got through arrives, as it does when a cable is pulled.
 */
export async function startCuttingProxy(
  port: number,
  passes: (chunk: Buffer) => number,
): Promise<CuttingProxy> {
  const ends = new Set<{ destroy(): void }>()
  const server = createServer((client) => {
    const there = connect(port, '127.0.0.1')
    for (const end of [client, there]) {
      ends.add(end)
      end.on('error', () => {}).once('close', () => ends.delete(end))
    }
    client.on('data', (chunk: Buffer) => {
      const through = passes(chunk)
      if (through < chunk.length) {
        proxy.cuts++
        there.end(chunk.subarray(0, through))
        client.destroy()
      } else if (!there.write(chunk)) {
        client.pause()
        there.once('drain', () => client.resume())
      }
    })
    client.once('end', () => there.end())
    there.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: CuttingProxy = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: 0,
    close() {
      for (const end of ends) end.destroy()
      server.close()
    },
  }
  return proxy
}
