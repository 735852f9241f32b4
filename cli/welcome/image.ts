/** Builds the welcome app's image out of Debian's static busybox, and pushes it as any client would. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import tar from 'tar-stream'
import { askSocket } from '../../platform/abstract-socket.ts'
import type { Config } from '../../platform/config.ts'
import { registryService, registryTokenPath } from '../../platform/model/registry.ts'
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
  /** The Berth whose registry it is. */
  config: Pick<Config, 'registrySocket' | 'registryTokenSocket'>
  /** For basic authentication at the token service. */
  username: string
  password: string
  repository: string
  tag: string
}

/** Pushes by the distribution API. Source: OCI distribution specification, "pushing blobs". */
export async function pushWelcome(image: WelcomeImage, target: PushTarget): Promise<void> {
  const scope = `repository:${target.repository}:pull,push`
  const query = new URLSearchParams({ service: registryService, scope })
  const basic = Buffer.from(`${target.username}:${target.password}`).toString('base64')
  const answered = await expectOk(
    askSocket(target.config.registryTokenSocket, `${registryTokenPath}?${query}`, {
      headers: { authorization: `Basic ${basic}` },
      signal: AbortSignal.timeout(withinMs),
    }),
  )
  const { token } = (await answered.json()) as { token: string }
  const ask = (path: string, method: string, more: { type?: string; body?: Buffer } = {}) =>
    askSocket(target.config.registrySocket, path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(more.type ? { 'content-type': more.type } : {}) },
      body: more.body,
      signal: AbortSignal.timeout(withinMs),
    })
  const base = `/v2/${target.repository}`
  for (const [digest, body] of image.blobs) {
    if ((await ask(`${base}/blobs/${digest}`, 'HEAD')).ok) continue
    const begun = await expectOk(ask(`${base}/blobs/uploads/`, 'POST'))
    // The registry's addresses are relative.
    const upload = new URL(begun.headers.get('location') ?? '', 'http://registry')
    upload.searchParams.set('digest', digest)
    await expectOk(
      ask(`${upload.pathname}${upload.search}`, 'PUT', { type: 'application/octet-stream', body }),
    )
  }
  const body = image.manifest
  await expectOk(ask(`${base}/manifests/${target.tag}`, 'PUT', { type: manifestType, body }))
}

const withinMs = 60_000

async function expectOk(asked: Promise<Response>): Promise<Response> {
  const response = await asked
  if (response.ok) return response
  throw new CommandError(
    `The registry refused the welcome app's image: ${response.status} ${(await response.text()).slice(0, 300)}`,
  )
}
