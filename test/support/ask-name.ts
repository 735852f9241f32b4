/**
 * Prints what a name server says, as JSON: ask-name.ts SERVER NAME A|AAAA|CHAOS udp|tcp, where CHAOS asks what it says
 * of itself. One question in one packet, and no more is read of the answer than a test needs. Source: RFC 1035, section 4.
 */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'

const [server = '', name = '', type = 'A', protocol = 'udp'] = process.argv.slice(2)
/** Type and class. */
const types = { A: [1, 1], AAAA: [28, 1], CHAOS: [16, 3] } as Record<string, [number, number]>
const header = Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
const labels = name
  .split('.')
  .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
const [number, kind] = types[type] ?? [1, 1]
const question = Buffer.concat([...labels, Buffer.from([0, 0, number, 0, kind])])
const query = Buffer.concat([header, question])

function skipName(packet: Buffer, at: number): number {
  for (;;) {
    const length = packet.readUInt8(at)
    if (length >= 0xc0) return at + 2
    if (length === 0) return at + 1
    at += length + 1
  }
}

function answer(packet: Buffer): void {
  const answers: { type: number; ttl: number; address: string }[] = []
  let at = header.length + question.length
  for (let left = packet.readUInt16BE(6); left > 0; left--) {
    at = skipName(packet, at)
    const size = packet.readUInt16BE(at + 8)
    const data = packet.subarray(at + 10, at + 10 + size)
    answers.push({
      type: packet.readUInt16BE(at),
      ttl: packet.readUInt32BE(at + 4),
      address: [...data].join('.'),
    })
    at += 10 + size
  }
  console.log(JSON.stringify({ code: packet.readUInt8(3) & 15, answers }))
  process.exit()
}

setTimeout(() => process.exit(1), 3_000)
if (protocol === 'udp') {
  const socket = createSocket('udp4', answer)
  socket.send(query, 53, server)
} else {
  let said = Buffer.alloc(0)
  const socket = connect(53, server, () =>
    socket.write(Buffer.concat([Buffer.from([0, query.length]), query])),
  )
  socket.on('data', (chunk) => {
    said = Buffer.concat([said, chunk])
    if (said.length > 2 && said.length >= said.readUInt16BE(0) + 2) answer(said.subarray(2))
  })
  socket.on('error', () => process.exit(1))
}
