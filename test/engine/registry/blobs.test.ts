import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { digestOf } from '../../../engine/oci/digest.ts'
import { createRegistryClient } from '../../../engine/registry/client.ts'
import type { Limits } from '../../../engine/registry/limits.ts'
import { type HostileRegistry, serve } from '../../support/hostile-registry.ts'
import { until } from '../../support/until.ts'

const servers: HostileRegistry[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const bytes = Buffer.from(Array.from({ length: 2 ** 20 }, (_, index) => (index * 7 + (index >> 10)) % 251))
const blob = { digest: digestOf(bytes), size: bytes.length }
const limits = { firstWaitMs: 5, tries: 3, progressBytes: 20_000, rangeBytes: 100_000, rangesAtOnce: 3 }
const whole = { ...limits, rangeBytes: 2 ** 30 }

/** Whatever a registry says of a layer, who reads the error knows which one it is. */
const named = expect.stringContaining(`layer ${blob.digest}`)

interface Asked {
  from: number
  /** One after the last byte. */
  to: number
  isRange: boolean
  /** Sends a 206, or a 200 with all of it, up to `until`, with `content-length` as if it were whole. */
  send(upTo?: number): ServerResponse
}

async function serving(answer: (asked: Asked, response: ServerResponse, request: IncomingMessage) => void) {
  const server = await serve((request, response) => {
    const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? []
    const isRange = request.headers.range !== undefined
    const asked = { from: Number(from), to: to === '' ? bytes.length : Number(to) + 1, isRange }
    const send = (upTo = asked.to) => {
      response.writeHead(isRange ? 206 : 200, {
        'content-length': asked.to - asked.from,
        ...(isRange ? { 'content-range': `bytes ${asked.from}-${asked.to - 1}/${bytes.length}` } : {}),
      })
      response.write(bytes.subarray(asked.from, upTo))
      return response
    }
    answer({ ...asked, send }, response, request)
  })
  servers.push(server)
  return server
}

async function fetchFrom(
  { host }: HostileRegistry,
  given: Partial<Limits>,
  { offset = 0, signal }: { offset?: number; signal?: AbortSignal } = {},
): Promise<Buffer> {
  const client = createRegistryClient({ limits: given })
  try {
    const repository = { registry: host, repository: 'app' }
    const { stream } = await client.openBlob(repository, blob, { offset, signal })
    return Buffer.concat(await stream.toArray())
  } finally {
    client.close()
  }
}

test('a large blob comes in ranges, some at once, and in order', async () => {
  let [now, most] = [0, 0]
  const server = await serving(({ send }, response) => {
    most = Math.max(most, ++now)
    response.once('close', () => now--)
    // The later ones first.
    setTimeout(() => send().end(), 20 * Math.random())
  })
  expect((await fetchFrom(server, limits)).equals(bytes)).toBe(true)
  expect(server.seen).toHaveLength(11)
  expect(most).toBe(3)
  expect((await fetchFrom(server, limits, { offset: 777_777 })).equals(bytes.subarray(777_777))).toBe(true)
  expect(server.seen[11]?.range).toBe('bytes=777777-877776')
})

test('a small blob, and the end of a large one, come in one answer', async () => {
  const server = await serving(({ send }) => send().end())
  expect((await fetchFrom(server, whole)).equals(bytes)).toBe(true)
  expect((await fetchFrom(server, limits, { offset: bytes.length - 5 })).length).toBe(5)
  expect((await fetchFrom(server, limits, { offset: bytes.length })).length).toBe(0)
  expect(server.seen.map(({ range }) => range)).toEqual([undefined, `bytes=${bytes.length - 5}-`])
})

test('a registry that ignores ranges is read in one go, from its start', async () => {
  const server = await serving((_asked, response) => response.end(bytes))
  expect((await fetchFrom(server, limits)).equals(bytes)).toBe(true)
  expect((await fetchFrom(server, limits, { offset: 500_000 })).equals(bytes.subarray(500_000))).toBe(true)
  expect(server.seen).toHaveLength(2)
})

test('ranges that are honoured only at first are no reason to fail', async () => {
  const server = await serving(({ from, send }, response) =>
    from === 0 ? send().end() : response.end(bytes),
  )
  const wide = { ...limits, rangeBytes: 400_000 }
  expect((await fetchFrom(server, wide)).equals(bytes)).toBe(true)
})

test('every connection that breaks off is gone on with where it stopped', async () => {
  const server = await serving(({ from, to, send }, _response, request) => {
    if (to - from < 30_000) return void send().end()
    send(from + 25_000)
    setTimeout(() => request.socket.destroy(), 10)
  })
  expect((await fetchFrom(server, limits)).equals(bytes)).toBe(true)
  expect(server.seen.length).toBeGreaterThan(20)
})

test('a registry that breaks off every time with nothing new is given up on', async () => {
  const server = await serving(({ from, send }, _response, request) => {
    send(Math.max(from, 1_000))
    setTimeout(() => request.socket.destroy(), 10)
  })
  await expect(fetchFrom(server, whole)).rejects.toMatchObject({
    kind: 'unavailable',
    message: named,
  })
  expect(server.seen.length).toBeLessThan(8)
})

test.each<[string, (asked: Asked, response: ServerResponse) => void]>([
  ['another length', (_asked, response) => response.end(bytes.subarray(1))],
  [
    'a longer length',
    (_asked, response) => response.writeHead(200, { 'content-length': 2 ** 40 }).write('x'),
  ],
])('a blob with %s is refused as corrupt', async (_what, answer) => {
  const server = await serving((asked, response) => {
    if (response.req.headers.range) return void asked.send().end()
    answer(asked, response)
  })
  await expect(fetchFrom(server, whole)).rejects.toMatchObject({ kind: 'corrupt', message: named })
})

test('more than it should without a length is refused as corrupt', async () => {
  const server = await serving((_asked, response) => {
    response.write(bytes)
    response.end('more')
  })
  await expect(fetchFrom(server, whole)).rejects.toMatchObject({
    kind: 'corrupt',
    message: expect.stringContaining(`more of layer ${blob.digest}`),
  })
})

test('less than it should without a length is asked for, and given up on', async () => {
  const server = await serving((_asked, response) => {
    response.write(bytes.subarray(0, 1_000))
    response.end()
  })
  await expect(fetchFrom(server, whole)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(`layer ${blob.digest} .*after 1000 of ${bytes.length} bytes`),
  })
})

test.each([
  [
    'a range of a blob that has changed',
    { 'content-range': `bytes 5000-${bytes.length}/${bytes.length + 1}` },
    206,
  ],
  [
    'another range than was asked for',
    { 'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}` },
    206,
  ],
  ['no word of which range', {}, 206],
  ['that there is no such range', { 'content-range': 'bytes */4000' }, 416],
])('%s is refused as corrupt', async (_what, headers, status) => {
  const server = await serving((_asked, response) =>
    response.writeHead(status, headers).end(bytes.subarray(5_000)),
  )
  await expect(fetchFrom(server, whole, { offset: 5_000 })).rejects.toMatchObject({
    kind: 'corrupt',
    message: named,
  })
  expect(server.seen).toHaveLength(1)
})

test('a registry that stalls is asked again, and given up on with a sentence that names the layer', async () => {
  let stalls = 1
  const server = await serving(({ from, send }) => (stalls-- > 0 ? send(from + 10) : send().end()))
  expect((await fetchFrom(server, { ...whole, stallMs: 80 })).equals(bytes)).toBe(true)
  const silent = await serving(({ from, send }) => send(from))
  await expect(fetchFrom(silent, { ...whole, stallMs: 50, tries: 2 })).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(`sent nothing more of layer ${blob.digest} of \\S+ for 0\\.05 s`),
  })
})

test('a registry that drips is given up on', async () => {
  const timers = new Set<NodeJS.Timeout>()
  const server = await serving(({ from, send }, response) => {
    send(from + 1)
    let at = from + 1
    const timer = setInterval(() => response.write(bytes.subarray(at, ++at)), 10)
    timers.add(timer)
    response.once('close', () => clearInterval(timer))
  })
  const impatient = { ...whole, bodyMs: 100, slowestBytesPerSecond: 10_000, tries: 2 }
  await expect(fetchFrom(server, impatient)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(`sends layer ${blob.digest} .*less than 10000 bytes a second`),
  })
  for (const timer of timers) clearInterval(timer)
})

test('whoever reads slowly is not taken for a slow registry', async () => {
  const server = await serving(({ send }) => send().end())
  const client = createRegistryClient({ limits: { ...limits, stallMs: 100, bodyMs: 100, tries: 1 } })
  const { stream } = await client.openBlob({ registry: server.host, repository: 'app' }, blob)
  const got: Buffer[] = []
  for await (const chunk of stream) {
    got.push(chunk)
    if (got.length < 3) await new Promise((resolve) => setTimeout(resolve, 150))
  }
  expect(Buffer.concat(got).equals(bytes)).toBe(true)
  client.close()
})

test('calling off ends every connection at once, while the registry says nothing', async () => {
  const sockets = new Set<unknown>()
  const server = await serving(({ from, send }, _response, request) => {
    sockets.add(request.socket)
    request.socket.once('close', () => sockets.delete(request.socket))
    send(from + 10)
  })
  const abort = new AbortController()
  const reading = fetchFrom(server, limits, { signal: abort.signal })
  await until('three answers are on their way', () => sockets.size === 3)
  abort.abort(new Error('called off'))
  await expect(reading).rejects.toThrow('called off')
  await until('they are gone', () => sockets.size === 0, 5_000)

  const client = createRegistryClient({ limits })
  const { stream } = await client.openBlob({ registry: server.host, repository: 'app' }, blob)
  stream.resume()
  await until('three answers are on their way again', () => sockets.size === 3)
  stream.destroy()
  await until('they are gone as well', () => sockets.size === 0, 5_000)
  client.close()
})

test('connections are used again', async () => {
  const sockets = new Set<unknown>()
  const server = await serving(({ send }, _response, request) => {
    sockets.add(request.socket)
    send().end()
  })
  await fetchFrom(server, limits)
  expect(server.seen).toHaveLength(11)
  expect(sockets.size).toBeLessThanOrEqual(4)
})
