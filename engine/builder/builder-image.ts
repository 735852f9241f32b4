/** The image that builds run in: this host's own buildah and busybox with the libraries that they need, nothing else. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import tar from 'tar-stream'
import { EngineError, isEngineError } from '../errors.ts'
import type { Images } from '../images/images.ts'
import type { Spawner } from '../sys/spawner.ts'

const buildah = '/usr/bin/buildah'
const certificates = '/etc/ssl/certs/ca-certificates.crt'
const applets =
  'sh sleep tar gunzip unzip cat chmod df ls mkdir nc rm tail test true echo find grep mount umount id head base64'.split(
    ' ',
  )

/** Capabilities of a RUN step: those of every container. */
const containersConf = `[containers]
default_capabilities = [
  "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
]
`

/** Digest of it, made when it is not there or the host's programs are others by now. Throws unsupported. */
export async function ensureBuilderImage(images: Images, spawner: Spawner): Promise<string> {
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
  if (!existsSync(buildah) || busybox === undefined)
    throw new EngineError(
      'unsupported',
      'building needs buildah and a static busybox: apt-get install buildah busybox-static',
    )
  const reference = `builder.internal/buildah:${keyOf([buildah, busybox, certificates])}`
  try {
    return (await images.inspect(reference)).digest
  } catch (error) {
    if (!isEngineError(error, 'not-found')) throw error
  }
  const libraries = (await spawner.mustRun(['ldd', buildah])).match(/\/[^\s():]+/g) ?? []
  const image = await images.import(Readable.from(rootOf(busybox, [...new Set(libraries)])), {
    reference,
  })
  return image.digest
}

/** Another time of one of the files, or another recipe, is another image. */
function keyOf(paths: string[]): string {
  const facts = paths.map((path) =>
    existsSync(path) ? `${path} ${statSync(path).mtimeMs} ${statSync(path).size}` : path,
  )
  return createHash('sha256')
    .update(JSON.stringify([facts, applets, containersConf]))
    .digest('hex')
    .slice(0, 20)
}

function rootOf(busybox: string, libraries: string[]): tar.Pack {
  const pack = tar.pack()
  const mtime = new Date(0)
  const folders = new Set<string>()
  function folder(path: string, mode = 0o755): void {
    if (path === '/' || path === '.' || folders.has(path)) return
    folder(dirname(path))
    folders.add(path)
    pack.entry({ name: path.slice(1), type: 'directory', mode, mtime })
  }
  function file(path: string, content: Buffer | string, mode = 0o644): void {
    folder(dirname(path))
    pack.entry({ name: path.slice(1), mode, mtime }, content)
  }
  for (const path of ['/proc', '/sys', '/dev', '/run', '/root', '/var/lib/containers', '/build']) folder(path)
  folder('/tmp', 0o1777)
  // Large temporary files belong on the build's disk.
  pack.entry({ name: 'var/tmp', type: 'symlink', linkname: '/var/lib/containers/tmp', mtime })
  file('/bin/busybox', readFileSync(busybox), 0o755)
  for (const name of applets) pack.entry({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox', mtime })
  file(buildah, readFileSync(buildah), 0o755)
  for (const path of libraries) file(path, readFileSync(path), 0o755)
  file('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n')
  file('/etc/group', 'root:x:0:\n')
  file('/etc/containers/policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}')
  file('/etc/containers/containers.conf', containersConf)
  file('/etc/containers/registries.conf', '')
  if (existsSync(certificates)) file(certificates, readFileSync(certificates))
  pack.finalize()
  return pack
}
