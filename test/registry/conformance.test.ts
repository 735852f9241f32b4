/**
 * What the OCI distribution specification asks of a registry (spec.md 1.1, and the list of its conformance suite), through
 * the edge and with Berth's tokens: pull, push, content discovery, content management. And what none may get: another
 * team's layers.
 */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createToken } from '../../platform/tokens.ts'
import { pushWithSkopeo } from '../support/oci-layout.ts'
import { client, type RegistryStack, startRegistryStack } from '../support/registry-stack.ts'
import { until } from '../support/until.ts'

let berth: RegistryStack
/** Tokens of administrators of two teams. */
let acme: string
let rival: string
let credentials: string

beforeAll(async () => {
  berth = await startRegistryStack({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  const enter = async (name: string): Promise<string> => {
    const team = await berth.makeTeam(name)
    const user = await berth.makeUser({ teamId: team.id, role: 'admin' })
    const { secret } = await createToken(berth.platform, user.viewer, { name: 'ci', role: 'admin' })
    return secret
  }
  acme = await enter('Acme')
  credentials = `ci:${acme}`
  rival = await enter('Rival')
})
afterAll(() => berth?.close())

const sha256 = (bytes: Buffer | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const indexType = 'application/vnd.oci.image.index.v1+json'
const configType = 'application/vnd.oci.image.config.v1+json'
const layerType = 'application/vnd.oci.image.layer.v1.tar'

const ask = (name: string, path: string, init: RequestInit & { as?: string; also?: string[] } = {}) => {
  const { as = acme, also = [], ...rest } = init
  return berth.ask(path.startsWith('/v2/') ? path : `/v2/${name}/${path}`, {
    ...rest,
    as,
    scopes: [`repository:${name}:pull,push,delete`, ...also],
  })
}

const begin = async (name: string, as = acme) => {
  const answer = await ask(name, 'blobs/uploads/', { method: 'POST', as })
  expect(answer.status).toBe(202)
  return answer.headers.get('location') ?? ''
}

const withDigest = (location: string, digest: string) =>
  `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`

const body = (bytes: Buffer) => new Uint8Array(bytes)
const octets = { 'content-type': 'application/octet-stream' }

async function pushBlob(name: string, bytes: Buffer, as = acme): Promise<string> {
  const digest = sha256(bytes)
  const to = withDigest(await begin(name, as), digest)
  const put = await ask(name, to, { method: 'PUT', body: body(bytes), headers: octets, as })
  expect(put.status).toBe(201)
  return digest
}

const putManifest = (name: string, reference: string, text: string, type = manifestType) =>
  ask(name, `manifests/${reference}`, { method: 'PUT', body: text, headers: { 'content-type': type } })

const config = Buffer.from('{"os":"linux","architecture":"amd64"}')

/** The manifest of an image with one layer; both are pushed first. */
async function image(name: string, layer = randomBytes(1_000), more: object = {}): Promise<string> {
  await pushBlob(name, config)
  await pushBlob(name, layer)
  return manifest(layer, more)
}

function manifest(layer: Buffer, more: object = {}): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: configType, digest: sha256(config), size: config.length },
    layers: [{ mediaType: layerType, digest: sha256(layer), size: layer.length }],
    ...more,
  })
}

const code = async (answer: Response) => [
  answer.status,
  ((await answer.json()) as { errors: { code: string }[] }).errors[0]?.code,
]

describe('pull', () => {
  const name = 'acme/pull'
  const layer = randomBytes(10_000)

  test('a manifest by tag and by digest, by HEAD and by GET, byte for byte', async () => {
    const text = await image(name, layer)
    expect((await putManifest(name, '1', text)).status).toBe(201)
    for (const reference of ['1', sha256(text)]) {
      const headers = { accept: manifestType }
      const head = await ask(name, `manifests/${reference}`, { method: 'HEAD', headers })
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(text.length)])
      const get = await ask(name, `manifests/${reference}`, { headers })
      expect([get.status, get.headers.get('docker-content-digest'), get.headers.get('content-type')]).toEqual(
        [200, sha256(text), manifestType],
      )
      expect(await get.text()).toBe(text)
    }
  })

  test('a blob, whole and in parts', async () => {
    const path = `blobs/${sha256(layer)}`
    const head = await ask(name, path, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10000'])
    expect(Buffer.from(await (await ask(name, path)).arrayBuffer()).equals(layer)).toBe(true)
    const part = await ask(name, path, { headers: { range: 'bytes=1000-1999' } })
    expect(part.status).toBe(206)
    expect(Buffer.from(await part.arrayBuffer()).equals(layer.subarray(1_000, 2_000))).toBe(true)
  })

  test('what is not there is 404, and says which', async () => {
    const none = `sha256:${'0'.repeat(64)}`
    expect(await code(await ask(name, `blobs/${none}`))).toEqual([404, 'BLOB_UNKNOWN'])
    expect(await code(await ask(name, `manifests/${none}`))).toEqual([404, 'MANIFEST_UNKNOWN'])
    expect(await code(await ask(name, 'manifests/none'))).toEqual([404, 'MANIFEST_UNKNOWN'])
    expect((await ask(name, `blobs/${none}`, { method: 'HEAD' })).status).toBe(404)
  })
})

describe('push', () => {
  const name = 'acme/push'

  test('POST and PUT, also of an empty blob; a digest that is not the content’s is refused', async () => {
    const digest = await pushBlob(name, randomBytes(5_000))
    expect((await ask(name, `blobs/${digest}`, { method: 'HEAD' })).status).toBe(200)
    await pushBlob(name, Buffer.alloc(0))
    const wrong = withDigest(await begin(name), sha256('something else'))
    const put = await ask(name, wrong, { method: 'PUT', body: body(randomBytes(10)), headers: octets })
    expect(await code(put)).toEqual([400, 'DIGEST_INVALID'])
  })

  test('chunks by PATCH, whose state can be asked; one out of order never becomes a blob', async () => {
    const bytes = randomBytes(30_000)
    const chunk = (from: number, to: number, at: string) =>
      ask(name, at, {
        method: 'PATCH',
        body: body(bytes.subarray(from, to)),
        headers: { ...octets, 'content-range': `${from}-${to - 1}` },
      })
    const end = (at: string, rest: Buffer) =>
      ask(name, withDigest(at, sha256(bytes)), { method: 'PUT', body: body(rest), headers: octets })
    const first = await chunk(0, 10_000, await begin(name))
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-9999'])
    const status = await ask(name, first.headers.get('location') ?? '')
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-9999'])
    const second = await chunk(10_000, 20_000, status.headers.get('location') ?? '')
    expect([second.status, second.headers.get('range')]).toEqual([202, '0-19999'])
    expect((await end(second.headers.get('location') ?? '', bytes.subarray(20_000))).status).toBe(201)
    const got = await ask(name, `blobs/${sha256(bytes)}`)
    expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true)
    // The specification wants 416 here; Distribution 2.8 doesn't look at the range, and refuses the whole at the end.
    const early = await chunk(20_000, 30_000, await begin(name))
    const late = await chunk(10_000, 20_000, early.headers.get('location') ?? '')
    const mixed = await end(late.headers.get('location') ?? '', bytes.subarray(0, 10_000))
    expect(await code(mixed)).toEqual([400, 'DIGEST_INVALID'])
  })

  test('an upload that the registry’s restart cut off is resumed where it was', async () => {
    const bytes = randomBytes(200_000)
    const first = await ask(name, await begin(name), {
      method: 'PATCH',
      body: body(bytes.subarray(0, 120_000)),
      headers: octets,
    })
    expect(first.status).toBe(202)
    await berth.restartRegistry()
    const status = await ask(name, first.headers.get('location') ?? '')
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-119999'])
    const to = withDigest(status.headers.get('location') ?? '', sha256(bytes))
    const rest = body(bytes.subarray(120_000))
    expect((await ask(name, to, { method: 'PUT', body: rest, headers: octets })).status).toBe(201)
  })

  test('a manifest without its layers is refused, and one that is no manifest', async () => {
    await pushBlob(name, config)
    const absent = manifest(randomBytes(10))
    expect(await code(await putManifest(name, 'x', absent))).toEqual([400, 'MANIFEST_BLOB_UNKNOWN'])
    expect(await code(await putManifest(name, 'x', 'no manifest'))).toEqual([400, 'MANIFEST_INVALID'])
  })

  test('a blob is mounted from another repository of the team; from an unknown one it is uploaded', async () => {
    const digest = await pushBlob('acme/mount-from', randomBytes(2_000))
    const mount = (from: string) =>
      ask('acme/mount-to', `blobs/uploads/?mount=${digest}&from=${from}`, {
        method: 'POST',
        also: [`repository:${from}:pull`],
      })
    expect((await mount('acme/nowhere')).status).toBe(202)
    expect((await ask('acme/mount-to', `blobs/${digest}`, { method: 'HEAD' })).status).toBe(404)
    expect((await mount('acme/mount-from')).status).toBe(201)
    expect((await ask('acme/mount-to', `blobs/${digest}`, { method: 'HEAD' })).status).toBe(200)
  })

  test('twenty pushes at once, of layers that some of them share', async () => {
    const shared = randomBytes(300_000)
    const names = Array.from({ length: 20 }, (_, at) => `many${at % 5}:${at}`)
    await Promise.all(
      names.map((each) =>
        pushWithSkopeo(`${berth.host}/acme/${each}`, credentials, {
          bare: true,
          files: { shared, own: each },
        }),
      ),
    )
    const answers = names.map(async (each) => {
      const [repository = '', tag] = each.split(':')
      const got = await ask(`acme/${repository}`, `manifests/${tag}`, { headers: { accept: manifestType } })
      const { layers } = (await got.json()) as { layers: { digest: string }[] }
      const blobs = layers.map(({ digest }) =>
        ask(`acme/${repository}`, `blobs/${digest}`, { method: 'HEAD' }),
      )
      return (await Promise.all(blobs)).every(({ status }) => status === 200)
    })
    expect(await Promise.all(answers)).toEqual(names.map(() => true))
  })
})

describe('content discovery', () => {
  const name = 'acme/discover'

  test('every tag is listed', async () => {
    const text = await image(name)
    for (const tag of ['c', 'a', 'd', 'b']) expect((await putManifest(name, tag, text)).status).toBe(201)
    const all = (await (await ask(name, 'tags/list')).json()) as { name: string; tags: string[] }
    expect([all.name, [...all.tags].sort()]).toEqual([name, ['a', 'b', 'c', 'd']])
  })

  test('nobody lists the repositories of all teams', async () => {
    const catalog = await berth.ask('/v2/_catalog', { as: acme, scopes: ['registry:catalog:*'] })
    expect(catalog.status).toBe(401)
  })

  test('what is about an image is found by the tag that the specification gives it', async () => {
    const text = await image(name)
    expect((await putManifest(name, 'subject', text)).status).toBe(201)
    const subject = { mediaType: manifestType, digest: sha256(text), size: text.length }
    const about = manifest(Buffer.alloc(0), { subject, layers: [] })
    expect((await putManifest(name, sha256(about), about)).status).toBe(201)
    // Distribution 2.8 has no API of referrers: clients then keep an index under this tag.
    expect((await ask(name, `referrers/${sha256(text)}`)).status).toBe(404)
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [{ mediaType: manifestType, digest: sha256(about), size: about.length }],
    })
    const tag = sha256(text).replace(':', '-')
    expect((await putManifest(name, tag, index, indexType)).status).toBe(201)
    const found = await ask(name, `manifests/${tag}`, { headers: { accept: indexType } })
    expect(await found.text()).toBe(index)
  })
})

describe('content management', () => {
  const name = 'acme/manage'

  test('a tag goes and its image stays; then the image goes', async () => {
    const text = await image(name)
    expect((await putManifest(name, 'gone', text)).status).toBe(201)
    expect((await putManifest(name, 'stays', text)).status).toBe(201)
    await untilKnown(name, 2)
    expect((await ask(name, 'manifests/gone', { method: 'DELETE' })).status).toBe(202)
    const get = (reference: string) =>
      ask(name, `manifests/${reference}`, { headers: { accept: manifestType } }).then(({ status }) => status)
    expect([await get('gone'), await get('stays'), await get(sha256(text))]).toEqual([404, 200, 200])
    expect((await ask(name, `manifests/${sha256(text)}`, { method: 'DELETE' })).status).toBe(202)
    expect([await get('stays'), await get(sha256(text))]).toEqual([404, 404])
  })
})

describe('another team’s layers', () => {
  const theirs = randomBytes(5_000)
  const mine = 'acme/thief'

  beforeAll(async () => {
    await pushBlob('rival/secret', theirs, rival)
  })

  test('can’t be mounted, not even by who knows their digest', async () => {
    const mount = await ask(mine, `blobs/uploads/?mount=${sha256(theirs)}&from=rival/secret`, {
      method: 'POST',
      also: ['repository:rival/secret:pull'],
    })
    expect(mount.status).not.toBe(201)
    expect((await ask(mine, `blobs/${sha256(theirs)}`)).status).toBe(404)
    const anonymous = await ask(mine, `blobs/uploads/?mount=${sha256(theirs)}`, { method: 'POST' })
    expect(anonymous.status).not.toBe(201)
    expect((await ask(mine, `blobs/${sha256(theirs)}`, { method: 'HEAD' })).status).toBe(404)
  })

  test('can’t be read by digest, nor named by a manifest of one’s own', async () => {
    const direct = await ask('rival/secret', `blobs/${sha256(theirs)}`)
    expect(direct.status).toBe(401)
    await pushBlob(mine, config)
    expect(await code(await putManifest(mine, 'x', manifest(theirs)))).toEqual([400, 'MANIFEST_BLOB_UNKNOWN'])
    // Whoever has the bytes may push them; that says nothing of who else has.
    expect(await pushBlob(mine, theirs)).toBe(sha256(theirs))
    expect((await ask('rival/secret', `blobs/${sha256(theirs)}`, { as: rival })).status).toBe(200)
  })

  test('can’t be pulled by skopeo with another team’s password', async () => {
    const flags = ['inspect', '--creds', credentials, '--tls-verify=false']
    const { ok } = await client('skopeo', [...flags, `docker://${berth.host}/rival/secret:1`])
    expect(ok).toBe(false)
  })
})

async function untilKnown(name: string, tags: number): Promise<void> {
  await until(`${name} has ${tags} tags`, async () => {
    const [namespace = '', repository = ''] = name.split('/')
    const where = { repository: { name: repository, team: { imageNamespace: namespace } } }
    return (await berth.platform.db.imageTag.count({ where })) === tags
  })
}
