/**
 * Images as `docker save` wrote them before it wrote OCI layouts: `manifest.json`, configurations, and layers as plain
 * tars. They have no manifest of the registries' kind, so one is made, with layers packed as registries like them.
 * Source: moby's image specification, version 1.2.
 */
import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { z } from 'zod'
import { EngineError } from '../errors.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { maxLayerBytes, maxLayers, mediaTypes, parseConfig, partTypes } from '../oci/manifest.ts'
import { type ArchiveFile, pathOf } from './archive-reader.ts'
import type { Image } from './images.ts'
import { type Loading, normalName } from './loading.ts'
import { recordImage } from './record-image.ts'

const manifestSchema = z
  .array(
    z.object({
      Config: z.string(),
      RepoTags: z.array(z.string()).max(1_000).nullish(),
      Layers: z.array(z.string()).max(maxLayers),
    }),
  )
  .max(1_000)

/** Quick, and most of what can be won. */
export const gzipLevel = 4

export async function loadDockerImages(loading: Loading): Promise<Image[]> {
  const bytes = await loading.archive.read('manifest.json')
  const images: Image[] = []
  for (const entry of readManifest(bytes)) images.push(await loadOne(loading, entry))
  if (images.length === 0) throw new EngineError('invalid', 'the archive holds no images')
  return images.map(({ digest }) => loading.rows.get(digest))
}

function readManifest(bytes: Buffer): z.infer<typeof manifestSchema> {
  try {
    return manifestSchema.parse(JSON.parse(bytes.toString('utf8')))
  } catch (cause) {
    throw new EngineError('corrupt', 'manifest.json of the archive breaks the rules', { cause })
  }
}

async function loadOne(loading: Loading, entry: z.infer<typeof manifestSchema>[number]): Promise<Image> {
  const { archive, rows } = loading
  const configBytes = await archive.read(entry.Config)
  const names = (entry.RepoTags ?? []).flatMap((tag) => normalName(tag) ?? [])
  // Pulled, or loaded before: it has a manifest, and is that very image.
  const known = rows.find(digestOf(configBytes))
  if (known) {
    for (const name of names) rows.name(name, known.digest)
    rows.touch(known.digest)
    return rows.get(known.digest)
  }
  const { diffIds } = parseConfig(configBytes, `${JSON.stringify(entry.Config)} of the archive`)
  if (diffIds.length !== entry.Layers.length)
    throw new EngineError(
      'corrupt',
      `the archive's image has ${entry.Layers.length} layers and ${diffIds.length} diffIDs`,
    )
  const packed = new Map<string, { digest: Digest; size: number; mediaType: string }>()
  for (const [index, path] of entry.Layers.entries()) {
    const file = archive.find(pathOf(path))
    if (!file) throw new EngineError('corrupt', `the archive lacks ${JSON.stringify(path.slice(0, 200))}`)
    const diffId = diffIds[index] ?? ''
    if (!packed.has(diffId)) packed.set(diffId, await pack(loading, file, diffId))
  }
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: {
        mediaType: partTypes.docker.config,
        size: configBytes.length,
        digest: digestOf(configBytes),
      },
      layers: diffIds.map((diffId) => packed.get(diffId)),
    }),
  )
  const image = await recordImage(loading, {
    documents: [manifest],
    reference: names[0] ?? null,
    source: null,
    readDocument: async () => configBytes,
    // All of them were packed above.
    fetch: async () => {},
    onProgress: loading.onProgress,
    signal: loading.signal,
  })
  for (const name of names) rows.name(name, image.digest)
  return image
}

/** A layer as registries like it. One that is packed already stays as it is. */
async function pack(
  { content, lease, signal }: Loading,
  file: ArchiveFile,
  diffId: Digest,
): Promise<{ digest: Digest; size: number; mediaType: string }> {
  const isPacked = file.digest !== diffId
  if (isPacked && file.bytes) {
    lease.add(file.digest)
    await content.put(file.bytes)
  }
  if (isPacked) return { digest: file.digest, size: file.sizeBytes, mediaType: partTypes.docker.layer }
  const source = file.bytes ? Readable.from([file.bytes]) : await readBlob(content, file.digest)
  // Whichever of them fails takes the other along, and fails what reads.
  const packed = pipeline(source, createGzip({ level: gzipLevel }), () => {})
  const added = await content.add(packed, {
    maxBytes: maxLayerBytes,
    beforeCommit: lease.add,
    signal,
  })
  return { digest: added.digest, size: added.sizeBytes, mediaType: partTypes.docker.layer }
}

async function readBlob(content: Loading['content'], digest: Digest): Promise<Readable> {
  const file = await content.open(digest)
  return createReadStream('', { fd: file, highWaterMark: 1 << 20 })
}
