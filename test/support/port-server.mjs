// Runs in a container: HTTP at PORT, and by TCP and UDP at 7000 (of another process: 7001) its version and process. A
// connection stays, echoes what it is sent, and is told goodbye when the server ends.
import { createSocket } from 'node:dgram'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'

const process_ = process.env.BERTH_PROCESS
const said = `${process.env.VERSION} ${process_}\n`
const port = process_ === 'web' ? 7000 : 7001
const sockets = new Set()
const server = createServer((socket) => {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  socket.write(said)
  socket.on('data', (bytes) => socket.write(bytes))
})
server.listen(port)
const udp = createSocket('udp4')
udp.on('message', (_, { port, address }) => udp.send(said, port, address))
udp.bind(port)
const http = createHttpServer((_, response) => response.end(said))
if (process_ === 'web') http.listen(Number(process.env.PORT))
process.on('SIGTERM', () => {
  for (const socket of sockets) socket.end('goodbye\n')
  server.close()
  udp.close()
  http.close()
  http.closeIdleConnections()
})
