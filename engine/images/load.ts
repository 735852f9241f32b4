/**
 * Loads images out of an archive: an OCI layout, or what `docker save` writes. All that an archive says of itself is
 * checked: blobs against their digests, layers against their diffIDs.
 */
import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { EngineError, isEngineError } from '../errors.ts'
import { type Digest, digestHex } from '../oci/digest.ts'
import { type Descriptor, type Manifest, parseManifest } from '../oci/manifest.ts'
import { choosePlatform } from '../oci/platform.ts'
import { hostPlatform } from '../sys/host-platform.ts'
import { type Archive, readArchive } from './archive-reader.ts'
import { loadDockerImages } from './docker-archive.ts'
import type { Image } from './images.ts'
import { type Loading, type LoadRequest, normalName } from './loading.ts'
import { recordImage } from './record-image.ts'
import { sweepUnneeded } from './sweep.ts'

/** Loads all images of the archive, in its order. */
export async function loadImages(source: Readable, request: LoadRequest): Promise<Image[]> {
  const lease = request.leases.take(`load ${randomBytes(8).toString('hex')}`)
  try {
    const archive = await readArchive(source, { ...request, lease })
    const loading = { ...request, archive, lease }
    if (archive.find('index.json')) return await loadLayout(loading)
    if (archive.find('manifest.json')) return await loadDockerImages(loading)
    throw new EngineError(
      'invalid',
      'the archive holds no images: it has neither an index.json (OCI layout) nor a manifest.json (docker save)',
    )
  } finally {
    lease.end()
    lease.letGo()
    await sweepUnneeded(request)
  }
}

async function loadLayout(loading: Loading): Promise<Image[]> {
  const { archive } = loading
  const bytes = await archive.read('index.json')
  const parsed = parseManifest(bytes, 'index.json of the archive')
  if (parsed.kind !== 'index') throw new EngineError('corrupt', 'index.json of the archive is not an index')
  const names = readNames(bytes)
  const images = new Map<Digest, Image>()
  for (const [position, entry] of parsed.index.manifests.entries()) {
    const found = await findManifest(archive, entry)
    if (found === null) continue
    // Also of layers that are unpacked on this host already: without it the image could not be pushed.
    for (const layer of found.manifest.layers)
      if (archive.find(blobPath(layer.digest))) await keepBlob(loading, layer)
    const image = await recordImage(loading, {
      documents: found.documents,
      reference: names[position] ?? null,
      source: null,
      onProgress: loading.onProgress,
      signal: loading.signal,
      readDocument: (blob) => readBlob(archive, blob),
      fetch: (blob) => keepBlob(loading, blob),
    })
    images.set(image.digest, image)
  }
  if (images.size === 0)
    throw new EngineError('wrong-platform', "the archive holds no image for this host's platform")
  return [...images.keys()].map((digest) => loading.rows.get(digest))
}

/** The manifest for this host, and the index that led to it; null when the entry is an image for other hosts only. */
async function findManifest(
  archive: Archive,
  entry: Descriptor,
): Promise<{ manifest: Manifest; documents: Buffer[] } | null> {
  const bytes = await readBlob(archive, entry)
  const parsed = parseManifest(bytes, `manifest ${entry.digest} of the archive`)
  if (parsed.kind === 'manifest') return { manifest: parsed.manifest, documents: [bytes] }
  try {
    const chosen = choosePlatform(parsed.index, `index ${entry.digest} of the archive`, hostPlatform())
    const inner = await readBlob(archive, chosen)
    const parsedInner = parseManifest(inner, `manifest ${chosen.digest} of the archive`)
    if (parsedInner.kind === 'index')
      throw new EngineError('unsupported', `index ${entry.digest} of the archive lists another index`)
    return { manifest: parsedInner.manifest, documents: [inner, bytes] }
  } catch (error) {
    if (isEngineError(error, 'wrong-platform') || isEngineError(error, 'unsupported')) return null
    throw error
  }
}

const blobPath = (digest: Digest) => `blobs/sha256/${digestHex(digest)}`

async function readBlob(archive: Archive, { digest }: { digest: Digest }): Promise<Buffer> {
  const bytes = await archive.read(blobPath(digest))
  assertDigest(digest, archive.find(blobPath(digest))?.digest)
  return bytes
}

/** Sees to it that a layer's blob is in the content store. */
async function keepBlob({ archive, content, lease }: Loading, { digest, size }: Descriptor): Promise<void> {
  const file = archive.find(blobPath(digest))
  if (!file) {
    if (await content.has(digest)) return
    throw new EngineError('corrupt', `the archive lacks layer ${digest}`)
  }
  assertDigest(digest, file.digest)
  if (file.sizeBytes !== size)
    throw new EngineError(
      'corrupt',
      `layer ${digest} has ${file.sizeBytes} bytes, and its manifest says ${size}`,
    )
  if (!file.bytes) return
  lease.add(digest)
  await content.put(file.bytes)
}

function assertDigest(said: Digest, found: Digest | undefined): void {
  if (said !== found)
    throw new EngineError(
      'corrupt',
      `blob ${said} of the archive is not what its digest says: its bytes are ${found}`,
    )
}

const namesSchema = z.object({
  manifests: z.array(z.looseObject({ annotations: z.record(z.string(), z.string()).nullish() })),
})

/** The whole name that Docker and containerd write; the plain one counts only when it is more than a tag. */
function readNames(index: Buffer): (string | null)[] {
  const parsed = namesSchema.safeParse(JSON.parse(index.toString('utf8')))
  if (!parsed.success)
    throw new EngineError('corrupt', 'index.json of the archive has unreadable annotations')
  return parsed.data.manifests.map(({ annotations }) => {
    const whole = annotations?.['io.containerd.image.name']
    const plain = annotations?.['org.opencontainers.image.ref.name']
    return normalName(whole) ?? (plain?.includes(':') || plain?.includes('/') ? normalName(plain) : null)
  })
}
