/**
 * Writes images into an archive: an OCI layout with every byte as it came; for `docker load` of any age there is a
 * `manifest.json` beside it. Sources: OCI image-spec, image-layout.md; moby's image specification, version 1.2.
 */
import { createReadStream } from 'node:fs'
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import type { ContentStore } from '../content/store.ts'
import { type Digest, digestHex } from '../oci/digest.ts'
import { type Descriptor, mediaTypes, parseConfig } from '../oci/manifest.ts'
import { parseReference } from '../oci/reference.ts'
import { decompress } from './decompress.ts'
import { type ImageDocuments, readDocuments } from './documents.ts'
import type { Image, SaveFormat } from './images.ts'
import { type ImageParts, usingImage } from './parts.ts'

export interface SaveRequest {
  format: SaveFormat
  /** Sees to it that a packed layer is in the content store. */
  ensureBlob: (layer: Descriptor, signal: AbortSignal) => Promise<void>
  signal: AbortSignal
}

interface Chosen extends ImageDocuments {
  image: Image
  /** Names that the archive gives it. */
  names: string[]
}

/**
 * The archive as a stream; what fails fails the stream. Images asked for by a name get that name, those asked for by
 * digest all of theirs. Throws not-found, and failed-precondition when an image's documents are not here.
 */
export async function saveImages(parts: ImageParts, keys: string[], request: SaveRequest): Promise<Readable> {
  const chosen = await choose(parts, keys)
  const stopped = new AbortController()
  const signal = AbortSignal.any([request.signal, stopped.signal])
  const pack = tar.pack()
  const output = new PassThrough({ highWaterMark: 1 << 20 })
  // Nobody reads on: nothing more is to be written.
  output.once('close', () => stopped.abort(new Error('nobody reads the archive any more')))
  const writing = holdAll(parts, chosen, () => write(pack, parts.content, chosen, { ...request, signal }))
  writing.catch((error: unknown) => pack.destroy(error instanceof Error ? error : new Error(String(error))))
  pipeline(Readable.from(pack), output).catch((error: unknown) => {
    output.destroy(error instanceof Error ? error : new Error(String(error)))
  })
  return output
}

async function choose(parts: ImageParts, keys: string[]): Promise<Chosen[]> {
  const chosen = new Map<Digest, Chosen>()
  for (const key of keys) {
    const image = parts.rows.get(key)
    const asked = image.references.filter((reference) => reference === wholeName(key))
    const known = chosen.get(image.digest)
    const names = asked.length > 0 ? asked : image.references
    if (known) known.names = [...new Set([...known.names, ...names])]
    else
      chosen.set(image.digest, {
        image,
        names: names.filter((name) => !name.includes('@')),
        ...(await readDocuments(parts, image.digest)),
      })
  }
  return [...chosen.values()]
}

async function holdAll(parts: ImageParts, chosen: Chosen[], work: () => Promise<void>): Promise<void> {
  const [first, ...rest] = chosen
  if (!first) return work()
  return usingImage(parts, first.image.digest, () => holdAll(parts, rest, work))
}

const blobPath = (digest: Digest) => `blobs/sha256/${digestHex(digest)}`

async function write(
  pack: tar.Pack,
  content: ContentStore,
  chosen: Chosen[],
  { format, ensureBlob, signal }: SaveRequest,
): Promise<void> {
  const written = new Set<string>()
  const addBytes = async (path: string, bytes: Buffer) => {
    if (written.has(path)) return
    written.add(path)
    await addEntry(pack, path, bytes.length, Readable.from([bytes]), signal)
  }
  const addBlob = async (path: string, layer: Descriptor) => {
    if (written.has(path)) return
    written.add(path)
    await ensureBlob(layer, signal)
    await addEntry(pack, path, layer.size, await openBlob(content, layer.digest), signal)
  }

  await addBytes('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'))
  const dockerImages: unknown[] = []
  for (const { image, names, manifest, config } of chosen) {
    await addBytes(blobPath(config.digest), config.bytes)
    for (const layer of manifest.parsed.layers) await addBlob(blobPath(layer.digest), layer)
    await addBytes(blobPath(image.digest), manifest.bytes)
    if (format !== 'docker') continue
    const { diffIds } = parseConfig(config.bytes, `the configuration of image ${image.digest}`)
    const layers: string[] = []
    for (const [index, layer] of manifest.parsed.layers.entries()) {
      const plainPath = `layers/${digestHex(diffIds[index] ?? '')}.tar`
      const isZstd = await beginsAsZstd(content, layer.digest)
      layers.push(isZstd ? plainPath : blobPath(layer.digest))
      if (!isZstd || written.has(plainPath)) continue
      written.add(plainPath)
      await addUnpacked(pack, plainPath, content, layer.digest, signal)
    }
    dockerImages.push({ Config: blobPath(config.digest), RepoTags: names.map(familiar), Layers: layers })
  }
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: chosen.flatMap(indexEntries),
  }
  await addBytes('index.json', Buffer.from(JSON.stringify(index)))
  if (format === 'docker') await addBytes('manifest.json', Buffer.from(JSON.stringify(dockerImages)))
  pack.finalize()
}

/** One entry for each name, as Docker and containerd write them; one without annotations for an image that has none. */
function indexEntries({ image, names, manifest }: Chosen): object[] {
  const { mediaType = mediaTypes.ociManifest } = JSON.parse(manifest.bytes.toString('utf8'))
  const entry = { mediaType, digest: image.digest, size: manifest.bytes.length }
  if (names.length === 0) return [entry]
  return names.map((name) => ({
    ...entry,
    annotations: {
      'io.containerd.image.name': name,
      'org.opencontainers.image.ref.name': parseReference(name).tag ?? 'latest',
    },
  }))
}

async function addEntry(
  pack: tar.Pack,
  name: string,
  size: number,
  source: Readable,
  signal: AbortSignal,
): Promise<void> {
  const written = Promise.withResolvers<void>()
  const entry = pack.entry({ name, size, mode: 0o644, mtime: new Date(0) }, (error) =>
    error ? written.reject(error) : written.resolve(),
  )
  await Promise.all([pipeline(source, entry, { signal }), written.promise])
}

async function openBlob(content: ContentStore, digest: Digest): Promise<Readable> {
  return createReadStream('', { fd: await content.open(digest), highWaterMark: 1 << 20 })
}

/** Docker before version 23 reads no zstd: those layers are written plain, for which their size must be known first. */
async function addUnpacked(
  pack: tar.Pack,
  path: string,
  content: ContentStore,
  digest: Digest,
  signal: AbortSignal,
): Promise<void> {
  let size = 0
  const count = new Writable({
    write(chunk: Buffer, _encoding, done) {
      size += chunk.length
      done()
    },
  })
  const first = await openBlob(content, digest)
  await pipeline(first, await decompress(first), count, { signal })
  const second = await openBlob(content, digest)
  const plain = await decompress(second)
  second.once('error', (error) => plain.destroy(error))
  await addEntry(pack, path, size, second.pipe(plain), signal)
}

async function beginsAsZstd(content: ContentStore, digest: Digest): Promise<boolean> {
  const file = await content.open(digest)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    const magic = bytesRead === 4 ? buffer.readUInt32LE(0) : 0
    return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50
  } finally {
    await file.close()
  }
}

/** As Docker shows it: docker.io/library/nginx:1 is nginx:1. */
export function familiar(reference: string): string {
  return reference.replace(/^docker\.io\/(library\/)?/, '')
}

function wholeName(key: string): string | null {
  try {
    const { registry, repository, tag } = parseReference(key)
    return `${registry}/${repository}${tag === null ? '' : `:${tag}`}`
  } catch {
    return null
  }
}
