import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { BenchContext } from '../bench.ts'
import type { BenchRegistry } from './registry.ts'

/** A registry at a port that leads to it on every address of the host, as the edge does: builds reach no loopback. */
export async function reachFromBuilds(
  { defer }: BenchContext,
  behind: BenchRegistry,
): Promise<BenchRegistry & { port: number }> {
  const server = createServer((socket) => {
    const registry = connect(Number(new URL(behind.url).port), '127.0.0.1')
    socket.pipe(registry).pipe(socket)
    for (const end of [socket, registry]) end.on('error', () => end.destroy())
  })
  defer(() => server.close())
  server.listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { ...behind, port, host: `localhost:${port}`, url: `http://127.0.0.1:${port}` }
}
