/** Images made on the spot, with no network: layers by tar-stream, pushed over the registry's own API. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import zlib from 'node:zlib'
import tar, { type Header } from 'tar-stream'

export interface ImageSpec {
  entrypoint?: string[]
  command?: string[]
  env?: string[]
  user?: string
  workingDir?: string
  exposedPorts?: number[]
  labels?: Record<string, string>
  stopSignal?: string
  healthCheck?: Record<string, unknown>
  /** Files added above busybox: content, or a whole tar header with content. */
  files?: Record<string, string | Buffer>
  /** Uncompressed layers above those, lowest first. */
  layers?: Buffer[]
  /** Pushed in an index that offers it for this platform alone. */
  platform?: { os: string; architecture: string }
  /** What its configuration says that it is made for; by itself this host's. */
  architecture?: string
  /** Leave busybox and its links away. */
  bare?: boolean
  compress?: 'gzip' | 'zstd' | 'none'
  /** Steps as the image's configuration tells them. */
  history?: Record<string, unknown>[]
}

export type TarEntry = Partial<Header> & { name: string; content?: string | Buffer }

/** A tar of these entries, in this order, said as they are. */
export async function makeTar(entries: TarEntry[]): Promise<Buffer> {
  const pack = tar.pack()
  const whole = buffer(pack)
  for (const { content, ...header } of entries) {
    const defaults = {
      mode: header.type === 'directory' ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtime: new Date(1e12),
    }
    await new Promise<void>((resolve, reject) =>
      pack.entry({ ...defaults, ...header } as Header, content ?? '', (error) =>
        error ? reject(error) : resolve(),
      ),
    )
  }
  pack.finalize()
  return whole
}

const applets = [
  'sh',
  'cat',
  'echo',
  'sleep',
  'ls',
  'id',
  'nc',
  'httpd',
  'wget',
  'nslookup',
  'tail',
  'head',
  'dd',
  'env',
  'hostname',
  'kill',
  'mount',
  'unshare',
  'mkdir',
  'touch',
  'rm',
  'stat',
  'test',
  'true',
  'false',
  'yes',
  'seq',
  'ping',
  'date',
  'ps',
  'grep',
  'trap',
]

let busybox: Promise<Buffer> | undefined

/** One layer with a static busybox, its usual links, /etc/passwd and /tmp. */
export function busyboxLayer(): Promise<Buffer> {
  busybox ??= makeTar([
    { name: 'bin', type: 'directory' },
    { name: 'bin/busybox', content: readFileSync('/bin/busybox'), mode: 0o755 },
    ...applets.map((name): TarEntry => ({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox' })),
    { name: 'etc', type: 'directory' },
    { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n' },
    { name: 'etc/group', content: 'root:x:0:\napp:x:1000:\n' },
    { name: 'tmp', type: 'directory', mode: 0o1777 },
    { name: 'root', type: 'directory', mode: 0o700 },
    { name: 'home/app', type: 'directory', uid: 1000, gid: 1000 },
  ])
  return busybox
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const indexType = 'application/vnd.oci.image.index.v1+json'

const sha256 = (bytes: Buffer | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export interface BuiltImage {
  digest: string
  manifest: Buffer
  blobs: Map<string, Buffer>
  layers: { digest: string; diffId: string; size: number }[]
}

export async function buildImage(spec: ImageSpec): Promise<BuiltImage> {
  const files = Object.entries(spec.files ?? {}).map(
    ([name, content]): TarEntry => ({
      name: name.replace(/^\//, ''),
      content,
      mode: 0o755,
    }),
  )
  const tars = [
    ...(spec.bare ? [] : [await busyboxLayer()]),
    ...(files.length > 0 ? [await makeTar(files)] : []),
    ...(spec.layers ?? []),
  ]
  const blobs = new Map<string, Buffer>()
  const layers = tars.map((content) => {
    const compressed =
      spec.compress === 'none'
        ? content
        : spec.compress === 'zstd'
          ? zlib.zstdCompressSync(content)
          : zlib.gzipSync(content, { level: 1 })
    const digest = sha256(compressed)
    blobs.set(digest, compressed)
    return { digest, diffId: sha256(content), size: compressed.length }
  })
  const config = Buffer.from(
    JSON.stringify({
      architecture:
        spec.architecture ?? { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch,
      os: 'linux',
      config: {
        Entrypoint: spec.entrypoint,
        Cmd: spec.command,
        Env: spec.env ?? ['PATH=/bin'],
        User: spec.user,
        WorkingDir: spec.workingDir,
        Labels: spec.labels,
        StopSignal: spec.stopSignal,
        Healthcheck: spec.healthCheck,
        ExposedPorts: Object.fromEntries((spec.exposedPorts ?? []).map((port) => [`${port}/tcp`, {}])),
      },
      history: spec.history,
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    }),
  )
  blobs.set(sha256(config), config)
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: sha256(config),
        size: config.length,
      },
      layers: layers.map(({ digest, size }) => ({
        mediaType: `application/vnd.oci.image.layer.v1.tar${spec.compress === 'none' ? '' : `+${spec.compress ?? 'gzip'}`}`,
        digest,
        size,
      })),
    }),
  )
  return { digest: sha256(manifest), manifest, blobs, layers }
}

/** Pushes over HTTP; `repository` is name:tag. Answers with the whole reference and the digest. */
export async function pushImage(
  registry: { port: number; host: string },
  repository: string,
  spec: ImageSpec,
  authorization?: string,
): Promise<{ reference: string; digest: string; image: BuiltImage }> {
  const image = await buildImage(spec)
  const [name = '', tag = 'latest'] = repository.split(':')
  const base = `http://127.0.0.1:${registry.port}/v2/${name}`
  const headers: Record<string, string> = authorization ? { authorization } : {}
  const expectOk = async (response: Response, what: string) => {
    if (!response.ok) throw new Error(`${what}: ${response.status} ${await response.text()}`)
    return response
  }
  for (const [digest, bytes] of image.blobs) {
    const known = await fetch(`${base}/blobs/${digest}`, { method: 'HEAD', headers })
    if (known.ok) continue
    const begun = await expectOk(await fetch(`${base}/blobs/uploads/`, { method: 'POST', headers }), 'upload')
    const url = new URL(begun.headers.get('location') ?? '', base)
    url.searchParams.set('digest', digest)
    await expectOk(
      await fetch(url, {
        method: 'PUT',
        headers: { ...headers, 'content-type': 'application/octet-stream' },
        body: new Uint8Array(bytes),
      }),
      'blob',
    )
  }
  const put = async (name: string, mediaType: string, body: Buffer) =>
    expectOk(
      await fetch(`${base}/manifests/${name}`, {
        method: 'PUT',
        headers: { ...headers, 'content-type': mediaType },
        body: new Uint8Array(body),
      }),
      'manifest',
    )
  const { platform } = spec
  await put(platform === undefined ? tag : image.digest, manifestType, image.manifest)
  if (platform !== undefined) {
    const manifests = [
      { mediaType: manifestType, digest: image.digest, size: image.manifest.length, platform },
    ]
    await put(
      tag,
      indexType,
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests })),
    )
  }
  return { reference: `${registry.host}/${name}:${tag}`, digest: image.digest, image }
}
