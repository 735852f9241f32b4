import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Has what listens on a loopback port be reached by a name in the abstract namespace as well. Answers how to end it. */
export async function leadSocket(name: string, port: number): Promise<() => Promise<void>> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    const target = connect(port, '127.0.0.1')
    socket.pipe(target).pipe(socket)
    for (const end of [socket, target]) {
      open.add(end)
      end.on('error', () => end.destroy()).on('close', () => open.delete(end))
    }
  })
  server.listen(`\0${name}`)
  await once(server, 'listening')
  return async () => {
    server.close()
    for (const socket of open) socket.destroy()
    if (server.listening) await once(server, 'close')
  }
}
