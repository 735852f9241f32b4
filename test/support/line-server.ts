/** Says one line to whoever connects, by TCP, or sends a packet, by UDP: line-server.ts TEXT PORT ADDRESS. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

const [text = '', port = '', address = ''] = process.argv.slice(2)
const server = createServer((socket) => socket.on('error', () => {}).end(`${text}\n`))
server.listen(Number(port), address)
const socket = createSocket('udp4')
socket.on('message', (_, { port, address }) => socket.send(`${text}\n`, port, address))
socket.bind(Number(port), address)
await Promise.all([once(server, 'listening'), once(socket, 'listening')])
console.log('ready')
