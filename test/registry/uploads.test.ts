/** Large layers through the edge, with a token, and uploads that are cut off wherever they are. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createToken } from '../../platform/tokens.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { client, type RegistryStack, startRegistryStack } from '../support/registry-stack.ts'
import { until } from '../support/until.ts'

let berth: RegistryStack
let secret: string
const name = 'acme/large'
/** 2 GB take a minute: otherwise it is so much that nobody could keep it in memory unnoticed. */
const isWhole = process.env.BERTH_TEST_LARGE === '1'
const megabytes = isWhole ? 2_048 : 128
if (!isWhole) console.info('a layer of 128 MiB instead of 2 GiB: BERTH_TEST_LARGE is not 1')

beforeAll(async () => {
  berth = await startRegistryStack({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  const team = await berth.makeTeam('Acme')
  const { viewer } = await berth.makeUser({ teamId: team.id, role: 'developer' })
  secret = (await createToken(berth.platform, viewer, { name: 'ci' })).secret
})
afterAll(() => berth?.close())

const scopes = [`repository:${name}:pull,push`]
const ask = (path: string, init: RequestInit = {}) => berth.ask(path, { ...init, as: secret, scopes })

async function bearer(): Promise<string> {
  const query = `service=berth-registry&scope=${scopes[0]}`
  const headers = { authorization: `Basic ${btoa(`ci:${secret}`)}` }
  const answer = await fetch(`http://${berth.host}/api/registry/token?${query}`, { headers })
  return `Bearer ${((await answer.json()) as { token: string }).token}`
}

async function begin(): Promise<string> {
  const begun = await ask(`/v2/${name}/blobs/uploads/`, { method: 'POST' })
  expect(begun.status).toBe(202)
  return begun.headers.get('location') ?? ''
}

const withDigest = (location: string, digest: string) => `${location}&digest=${digest}`
const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** A request whose body goes out while it is made. */
async function send(
  method: string,
  path: string,
  sizeBytes: number,
  body: Iterable<Buffer> | AsyncIterable<Buffer>,
) {
  const authorization = await bearer()
  const asked = request(`http://${berth.host}${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/octet-stream', 'content-length': sizeBytes },
  })
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>
  answered.catch(() => {})
  await pipeline(Readable.from(body), asked)
  const [answer] = await answered
  answer.resume()
  return answer
}

/** The most that the processes have had in memory since `forget`, in MiB each. */
function peaks(pids: number[]) {
  const read = (pid: number) =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5')
  const before = pids.map(read)
  return { grown: () => pids.map((pid, at) => read(pid) - (before[at] ?? 0)) }
}

test('a large layer goes through the edge both ways, and nobody on its way keeps it in memory', async () => {
  const block = randomBytes(2 ** 20)
  function* blocks() {
    for (let at = 0; at < megabytes; at += 1) yield block
  }
  const hash = createHash('sha256')
  for (const each of blocks()) hash.update(each)
  const digest = `sha256:${hash.digest('hex')}`
  const sizeBytes = megabytes * 2 ** 20
  const { registry, edge } = berth.pids()
  const memory = peaks([registry, ...edge])
  const put = await send('PUT', withDigest(await begin(), digest), sizeBytes, blocks())
  expect(put.statusCode).toBe(201)
  const got = await ask(`/v2/${name}/blobs/${digest}`)
  expect([got.status, got.headers.get('content-length')]).toEqual([200, String(sizeBytes)])
  const came = createHash('sha256')
  for await (const chunk of got.body ?? []) came.update(chunk)
  expect(`sha256:${came.digest('hex')}`).toBe(digest)
  for (const grownBy of memory.grown()) expect(grownBy).toBeLessThan(64)
}, 180_000)

test('a registry that is killed in the middle of a chunk loses what was not told of, and corrupts nothing', async () => {
  const bytes = randomBytes(4_000_000)
  const digest = sha256(bytes)
  const location = await begin()
  let goOn: () => void = () => {}
  const killed = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const id = /uploads\/([0-9a-f-]+)/.exec(location)?.[1]
  const file = join(repositories(), name, '_uploads', id ?? '', 'data')
  async function* halves() {
    yield bytes.subarray(0, 2_000_000)
    await killed
    yield bytes.subarray(2_000_000)
  }
  const chunk = send('PATCH', location, bytes.length, halves()).then(
    ({ statusCode = 0 }) => statusCode,
    () => null,
  )
  await until('half of the chunk is on disk', () => readFileSync(file).length > 1_000_000)
  await berth.restartRegistry()
  goOn()
  const status = await chunk
  expect(status === null || status >= 500, `the chunk was answered with ${status}`).toBe(true)
  expect((await ask(`/v2/${name}/blobs/${digest}`, { method: 'HEAD' })).status).toBe(404)
  // More came than the client was told of: one that goes on is refused rather than believed, and begins anew.
  const goingOn = await ask(location)
  expect([goingOn.status, await goingOn.text()]).toEqual([
    404,
    expect.stringContaining('BLOB_UPLOAD_INVALID'),
  ])
  const rest = new Uint8Array(bytes)
  const headers = { 'content-type': 'application/octet-stream' }
  const anew = await ask(withDigest(await begin(), digest), { method: 'PUT', body: rest, headers })
  expect(anew.status).toBe(201)
  const got = await ask(`/v2/${name}/blobs/${digest}`)
  expect(sha256(Buffer.from(await got.arrayBuffer()))).toBe(digest)
})

test('a client’s push that the registry’s restart cut off is done again, and is whole then', async () => {
  const reference = `${berth.host}/acme/restarted:1`
  const push = () =>
    pushWithSkopeo(reference, `ci:${secret}`, { bare: true, compress: 'none', files: { random } })
  const random = randomBytes(40_000_000)
  const uploads = join(repositories(), 'acme/restarted/_uploads')
  const first = push().then(
    () => null,
    (error: Error) => error,
  )
  await until('bytes of the layer have come', () =>
    readdirSync(uploads).some((id) => statSync(join(uploads, id, 'data')).size > 1_000_000),
  )
  await berth.restartRegistry()
  expect((await first)?.message).toMatch(/blob/)
  await push()
  const into = await mkdtemp(join(berth.config.home, 'pulled-'))
  const flags = ['--insecure-policy', '--src-tls-verify=false', '--src-creds', `ci:${secret}`]
  const pulled = await client('skopeo', ['copy', ...flags, `docker://${reference}`, `dir:${into}`])
  expect([pulled.ok, pulled.said]).toEqual([true, expect.any(String)])
})

const repositories = () => join(berth.config.home, 'registry/data/docker/registry/v2/repositories')
