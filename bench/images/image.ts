/** Images that a bench makes itself, once, as OCI layouts in the cache folder. */
import { createHash } from 'node:crypto'
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from '../../cli/processes.ts'
import type { BenchContext } from '../bench.ts'
import type { BenchRegistry } from '../parts/registry.ts'

export interface BenchImage {
  /** Such as debian; part of its reference. */
  name: string
  /** What a report calls it. */
  what: string
  /** Changed whenever what it is made of changes, so that an old one in the cache is not taken for it. */
  version: number
  /** Writes the tars of its layers into the folder, and answers with their paths, lowest first. */
  makeLayers(folder: string, context: BenchContext): Promise<string[]>
}

export interface PushedImage {
  what: string
  reference: string
  /** Compressed layers, as files, lowest first. */
  blobs: string[]
  /** OCI layout in the cache, where it is called 1. */
  layout: string
}

interface Layer {
  digest: string
  diffId: string
  size: number
}

/** Makes the image unless the cache has it, and puts it into the registry. */
export async function provide(
  image: BenchImage,
  registry: BenchRegistry,
  context: BenchContext,
): Promise<PushedImage> {
  const layout = join(context.cache, `${image.name}-${image.version}`)
  if (!existsSync(layout)) await make(image, layout, context)
  const reference = `${registry.host}/bench/${image.name}:1`
  await run(
    [
      'skopeo',
      'copy',
      '--insecure-policy',
      '--dest-tls-verify=false',
      `oci:${layout}:1`,
      `docker://${reference}`,
    ],
    { signal: context.signal },
  )
  const manifest = await run(['skopeo', 'inspect', '--raw', `oci:${layout}:1`], { signal: context.signal })
  const { layers } = JSON.parse(manifest) as { layers: { digest: string }[] }
  return { what: image.what, reference, layout, blobs: layers.map(({ digest }) => blobPath(layout, digest)) }
}

async function make(image: BenchImage, layout: string, context: BenchContext): Promise<void> {
  context.note(`making ${image.what}, once`)
  const half = `${layout}.${process.pid}`
  const tars = join(half, 'tars')
  mkdirSync(join(half, 'blobs/sha256'), { recursive: true })
  mkdirSync(tars)
  try {
    const layers: Layer[] = []
    for (const tar of await image.makeLayers(tars, context))
      layers.push(await addLayer(half, tar, context.signal))
    rmSync(tars, { recursive: true, force: true })
    writeDocuments(half, layers)
    renameSync(half, layout)
  } finally {
    rmSync(half, { recursive: true, force: true })
  }
}

async function addLayer(layout: string, tar: string, signal: AbortSignal): Promise<Layer> {
  const diffId = await digestFile(tar)
  // As `docker build` would: gzip at its usual level.
  await run([existsSync('/usr/bin/pigz') ? 'pigz' : 'gzip', '--no-name', '-6', tar], { signal })
  const digest = await digestFile(`${tar}.gz`)
  const { size } = statSync(`${tar}.gz`)
  renameSync(`${tar}.gz`, blobPath(layout, digest))
  return { digest, diffId, size }
}

function writeDocuments(layout: string, layers: Layer[]): void {
  const config = addDocument(layout, {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    // What builds on it looks for one step a layer.
    history: layers.map(() => ({ created_by: 'berth bench' })),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  })
  const family = 'application/vnd.oci.image'
  const manifest = addDocument(layout, {
    schemaVersion: 2,
    mediaType: `${family}.manifest.v1+json`,
    config: { mediaType: `${family}.config.v1+json`, ...config },
    layers: layers.map(({ digest, size }) => ({ mediaType: `${family}.layer.v1.tar+gzip`, digest, size })),
  })
  const named = { annotations: { 'org.opencontainers.image.ref.name': '1' } }
  const manifests = [{ mediaType: `${family}.manifest.v1+json`, ...manifest, ...named }]
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
}

function addDocument(layout: string, content: unknown): { digest: string; size: number } {
  const bytes = JSON.stringify(content)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  writeFileSync(blobPath(layout, digest), bytes)
  return { digest, size: Buffer.byteLength(bytes) }
}

const blobPath = (layout: string, digest: string) => join(layout, 'blobs', digest.replace(':', '/'))

async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}

/** A tar of folders and files below `root`, the same at each call for the same content. */
export async function tarOf(
  root: string,
  names: string[],
  into: string,
  signal: AbortSignal,
  prefix = '',
): Promise<string> {
  const same = [
    '--sort=name',
    '--mtime=@1700000000',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--format=pax',
  ]
  const pax = '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime'
  const rename = prefix === '' ? [] : [`--transform=flags=r;s,^,${prefix}/,`]
  await run(['tar', '-C', root, '-cf', into, ...same, pax, ...rename, '--', ...names], { signal })
  return into
}

/** Writes chunks to a file as they come. */
export async function writeAll(path: string, chunks: Iterable<Buffer>): Promise<void> {
  await pipeline(chunks, createWriteStream(path))
}
