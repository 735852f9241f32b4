/** Builds the welcome app's image out of Debian's static busybox, and pushes it as any client would. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import tar from 'tar-stream'
import { CommandError } from '../say.ts'
import { welcomePage, welcomeScript } from './page.ts'

const applets = [
  'sh',
  'httpd',
  'sed',
  'hostname',
  'date',
  'mkdir',
  'echo',
  'cat',
  'ls',
  'sleep',
  'ps',
  'wget',
]
const architectures: Record<string, string> = { x64: 'amd64', arm64: 'arm64' }
const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export interface WelcomeImage {
  manifest: Buffer
  blobs: Map<string, Buffer>
}

export async function welcomeImage(): Promise<WelcomeImage> {
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
  if (!busybox) throw new CommandError('The welcome app needs busybox: apt-get install busybox-static.')
  const pack = tar.pack()
  const whole = buffer(pack)
  const mtime = new Date(1_700_000_000_000)
  pack.entry({ name: 'bin', type: 'directory', mode: 0o755, mtime })
  pack.entry({ name: 'bin/busybox', mode: 0o755, mtime }, readFileSync(busybox))
  for (const name of applets) pack.entry({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox', mtime })
  pack.entry({ name: 'etc', type: 'directory', mode: 0o755, mtime })
  pack.entry({ name: 'etc/passwd', mode: 0o644, mtime }, 'web:x:1000:1000:web:/tmp:/bin/sh\n')
  pack.entry({ name: 'tmp', type: 'directory', mode: 0o1777, mtime })
  pack.entry({ name: 'welcome', type: 'directory', mode: 0o755, mtime })
  pack.entry({ name: 'welcome/index.html', mode: 0o644, mtime }, welcomePage)
  pack.entry({ name: 'welcome/serve', mode: 0o755, mtime }, welcomeScript)
  pack.finalize()
  const content = await whole
  const layer = gzipSync(content)
  const config = Buffer.from(
    JSON.stringify({
      architecture: architectures[process.arch] ?? process.arch,
      os: 'linux',
      created: mtime.toISOString(),
      config: {
        Entrypoint: ['/welcome/serve'],
        Env: ['PATH=/bin'],
        User: 'web',
        ExposedPorts: { '8080/tcp': {} },
      },
      rootfs: { type: 'layers', diff_ids: [sha256(content)] },
    }),
  )
  const describe = (mediaType: string, bytes: Buffer) => ({
    mediaType,
    digest: sha256(bytes),
    size: bytes.length,
  })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: describe('application/vnd.oci.image.config.v1+json', config),
      layers: [describe('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
    }),
  )
  return { manifest, blobs: new Map([layer, config].map((bytes) => [sha256(bytes), bytes])) }
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json'

export interface PushTarget {
  /** Such as http://127.0.0.1:7083. */
  registry: string
  /** Where tokens are had. */
  tokenUrl: string
  service: string
  /** For basic authentication at the token service. */
  username: string
  password: string
  repository: string
  tag: string
}

/** Pushes by the distribution API. Source: OCI distribution specification, "pushing blobs". */
export async function pushWelcome(image: WelcomeImage, target: PushTarget): Promise<void> {
  const url = new URL(target.tokenUrl)
  url.searchParams.set('service', target.service)
  url.searchParams.set('scope', `repository:${target.repository}:pull,push`)
  const basic = Buffer.from(`${target.username}:${target.password}`).toString('base64')
  const answer = await ask(url, { headers: { authorization: `Basic ${basic}` } })
  const { token } = (await answer.json()) as { token: string }
  const headers = { authorization: `Bearer ${token}` }
  const base = `${target.registry}/v2/${target.repository}`
  for (const [digest, bytes] of image.blobs) {
    const known = await fetch(`${base}/blobs/${digest}`, { method: 'HEAD', headers })
    if (known.ok) continue
    const begun = await ask(`${base}/blobs/uploads/`, { method: 'POST', headers })
    const upload = new URL(begun.headers.get('location') ?? '', target.registry)
    upload.searchParams.set('digest', digest)
    const body = new Uint8Array(bytes)
    await ask(upload, {
      method: 'PUT',
      headers: { ...headers, 'content-type': 'application/octet-stream' },
      body,
    })
  }
  const body = new Uint8Array(image.manifest)
  await ask(`${base}/manifests/${target.tag}`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': manifestType },
    body,
  })
}

async function ask(url: string | URL, options: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(60_000) })
  if (response.ok) return response
  throw new CommandError(
    `The registry refused the welcome app's image: ${response.status} ${(await response.text()).slice(0, 300)}`,
  )
}
