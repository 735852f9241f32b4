/** An image to build Node.js applications on: the host's npm, beside Node and busybox. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type ImageSpec, makeTar, type TarEntry } from './images.ts'
import { nodeImage } from './node-image.ts'

const certificates = '/etc/ssl/certs/ca-certificates.crt'

export async function npmImage(): Promise<ImageSpec> {
  const npm = dirname(dirname(realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())))
  const files = readdirSync(npm, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ name: join('usr/lib/npm', relative(npm, path)), content: readFileSync(path) }))
  const script = '#!/bin/sh\nexec node /usr/lib/npm/bin/npm-cli.js "$@"\n'
  // The registry of packages may be behind an authority that only this host knows.
  const authorities = existsSync(certificates)
    ? [{ name: certificates.slice(1), content: readFileSync(certificates) }]
    : []
  const program = { name: 'bin/npm', content: script, mode: 0o755 }
  // Where the programs of packages look for it.
  const env: TarEntry = { name: 'usr/bin/env', type: 'symlink', linkname: '/bin/busybox' }
  const layer = await makeTar([...files, ...authorities, program, env])
  const node = await nodeImage({ 'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n' })
  const layers = [...(node.layers ?? []), layer]
  return {
    layers,
    compress: 'none',
    env: ['PATH=/bin:/usr/bin', ...(authorities.length > 0 ? [`NODE_EXTRA_CA_CERTS=${certificates}`] : [])],
    // buildah wants as many steps in an image's history as it has layers.
    history: ['busybox', ...layers.map(() => 'a layer')].map((created_by) => ({ created_by })),
  }
}
