/** Prints what a line server says: ask-line.ts tcp|udp ADDRESS PORT [OWN-PORT]. Exit code 1 when nothing comes within 2 s. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'

const [protocol, address = '', port = '', ownPort = '0'] = process.argv.slice(2)
setTimeout(() => process.exit(1), 2_000)
const answer = (bytes: Buffer) => process.stdout.write(bytes, () => process.exit(0))
if (protocol === 'udp') {
  const socket = createSocket('udp4', answer).on('error', () => process.exit(1))
  socket.bind(Number(ownPort), () => socket.send('?', Number(port), address))
} else {
  connect(Number(port), address)
    .on('data', answer)
    .on('error', () => process.exit(1))
}
