/** Connects and stays: hold-open.ts ADDRESS PORT. Exit code 1 when the other side ends it. */
import { connect } from 'node:net'

const [address = '', port = ''] = process.argv.slice(2)
const socket = connect(Number(port), address)
for (const end of ['error', 'close'] as const) socket.on(end, () => process.exit(1))
socket.resume()
