// What runs in the containers of the load proof: plain answers, slow ones, uploads, events, WebSockets. It ends as a
// good app does: what is open is told goodbye, what is being answered is answered.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

const version = process.env.VERSION ?? 'none'
const long = new Set()
let isEnding = false

const server = createServer((request, response) => {
  if (isEnding) response.setHeader('connection', 'close')
  response.setHeader('x-version', version)
  const url = new URL(request.url ?? '/', 'http://app')
  if (url.pathname === '/slow') return trickle(response, Number(url.searchParams.get('ms')))
  if (url.pathname === '/upload') return receive(request, response)
  if (url.pathname === '/events') return tell(response)
  response.end(version)
})

function trickle(response, ms) {
  const pieces = 10
  let sent = 0
  response.writeHead(200, { 'content-length': pieces * 1_000 })
  const timer = setInterval(() => {
    response.write('x'.repeat(1_000))
    if (++sent < pieces) return
    clearInterval(timer)
    response.end()
  }, ms / pieces)
}

async function receive(request, response) {
  const hash = createHash('sha256')
  try {
    for await (const chunk of request) hash.update(chunk)
    response.end(hash.digest('hex'))
  } catch {
    response.destroy()
  }
}

function tell(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  let id = 0
  const timer = setInterval(() => response.write(`id: ${++id}\ndata: ${version}\n\n`), 100)
  const end = () => {
    clearInterval(timer)
    response.end('event: bye\ndata: bye\n\n')
  }
  long.add(end)
  response.on('close', () => {
    clearInterval(timer)
    long.delete(end)
  })
}

server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  // Goes away: 1001.
  const end = () => socket.end(Buffer.from([0x88, 2, 0x03, 0xe9]))
  long.add(end)
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    // Short texts, masked, as its clients send them.
    while (rest.length >= 6 && rest.length >= 6 + (rest[1] & 0x7f)) {
      const length = rest[1] & 0x7f
      const text = Buffer.from(
        rest.subarray(6, 6 + length).map((byte, index) => byte ^ rest[2 + (index % 4)]),
      )
      if ((rest[0] & 0x0f) === 1 && socket.writable)
        socket.write(Buffer.concat([Buffer.from([0x81, length]), text]))
      rest = rest.subarray(6 + length)
    }
  })
  socket.on('error', () => {})
  socket.on('close', () => long.delete(end))
})

process.on('SIGTERM', () => {
  isEnding = true
  for (const end of long) end()
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})

server.listen(Number(process.env.PORT), '0.0.0.0')
