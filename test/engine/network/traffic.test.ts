/** Published ports and bandwidth of real containers, as their specs say: from the first start on, and after the next. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ContainerSpec } from '../../../engine/index.ts'
import { readLines, startEngine, type TestEngine } from '../../support/engine.ts'
import { perlImage } from '../../support/perl-image.ts'
import { until } from '../../support/until.ts'

const program = readFileSync(new URL('./traffic.pl', import.meta.url), 'utf8')
let host: TestEngine
let image: string

beforeAll(async () => {
  host = await startEngine()
  image = await host.pull('traffic:1', perlImage({ 'traffic.pl': program }))
})
afterAll(() => host?.close())

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function start(changes: Partial<ContainerSpec>) {
  const spec = host.spec({ image, command: ['/usr/bin/perl', '/traffic.pl'], ...changes })
  await host.engine.containers.create(spec)
  const { address } = await host.engine.containers.start(spec.id)
  await serves(spec.id, 1)
  return { id: spec.id, address }
}

const serves = (id: string, times: number) =>
  until(
    'it serves',
    async () => (await readLines(host.engine, id)).filter((line) => line === 'ready').length === times,
  )

/** How many bytes come; null where nobody is. */
async function receive(address: string, port: number, bytes: number): Promise<number | null> {
  const socket = connect(port, address).setTimeout(2_000, () => socket.destroy())
  let received = 0
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  socket.on('connect', () => socket.write(`out ${bytes}\n`))
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  return received || null
}

async function send(address: string, port: number, bytes: number): Promise<string> {
  const socket = connect(port, address)
  socket.end(Buffer.concat([Buffer.from(`in ${bytes}\n`), Buffer.alloc(bytes)]))
  let said = ''
  for await (const chunk of socket) said += chunk
  return said
}

async function byUdp(port: number): Promise<string | null> {
  const socket = createSocket('udp4')
  try {
    socket.send('?', port, '127.0.0.1')
    const [said] = await once(socket, 'message', { signal: AbortSignal.timeout(2_000) })
    return String(said)
  } catch {
    return null
  } finally {
    socket.close()
  }
}

test('a container is at its published ports, by TCP and UDP, whenever it runs', async () => {
  const [tcp, udp] = [await freePort(), await freePort()]
  const published = { hostAddress: '127.0.0.1', containerPort: 80 }
  const { id } = await start({
    ports: [
      { ...published, hostPort: tcp, protocol: 'tcp' },
      { ...published, hostPort: udp, protocol: 'udp' },
    ],
  })
  const answers = async () => [await receive('127.0.0.1', tcp, 7), await byUdp(udp)]
  const { containers } = host.engine
  expect(await answers()).toEqual([7, 'by udp'])
  await containers.restart(id, { graceMs: 0 })
  await serves(id, 2)
  expect(await answers()).toEqual([7, 'by udp'])
  await host.reopen()
  expect(await answers()).toEqual([7, 'by udp'])
  const twin = host.spec({ image, ports: [{ ...published, hostPort: tcp, protocol: 'tcp' }] })
  await expect(host.engine.containers.create(twin)).rejects.toMatchObject({
    kind: 'already-exists',
    message: expect.stringContaining(`${tcp}/tcp`),
  })
  await host.engine.containers.stop(id, { graceMs: 0 })
  expect(await answers()).toEqual([null, null])
  await host.engine.containers.remove(id)
  await host.engine.containers.create(twin)
})

test('a container receives and sends no faster than its bandwidth, also after a restart', async () => {
  const bytes = 1_000_000
  const { id, address } = await start({
    bandwidth: { inBitsPerSecond: 16_000_000, outBitsPerSecond: 8_000_000 },
  })
  // At least this long, however loaded the machine is: what it takes at that speed, but for a burst.
  const measured = async () => {
    const begin = performance.now()
    expect(await receive(address, 80, bytes)).toBe(bytes)
    const out = performance.now() - begin
    expect(await send(address, 80, bytes)).toBe('ok\n')
    return { out, in: performance.now() - begin - out }
  }
  for (const run of [1, 2]) {
    await serves(id, run)
    const took = await measured()
    expect(took.out).toBeGreaterThan(800)
    expect(took.in).toBeGreaterThan(350)
    await host.engine.containers.restart(id, { graceMs: 0 })
  }
})
