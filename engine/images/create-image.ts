/**
 * Makes an image of what is here: of another image, one more layer, and changes to the configuration. A container's
 * changes become an image this way, and the tar of a root file system does.
 */
import { createHash, randomBytes } from 'node:crypto'
import { pipeline, type Readable, Transform } from 'node:stream'
import { createGzip } from 'node:zlib'
import { z } from 'zod'
import { EngineError } from '../errors.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { type Descriptor, maxLayerBytes, maxLayers, mediaTypes, partTypes } from '../oci/manifest.ts'
import { hostPlatform } from '../sys/host-platform.ts'
import { decompress } from './decompress.ts'
import { gzipLevel } from './docker-archive.ts'
import { readDocuments } from './documents.ts'
import type { ConfigChange, CreateImageOptions, Image } from './images.ts'
import type { Lease } from './leases.ts'
import type { ImageParts } from './parts.ts'
import { recordImage } from './record-image.ts'
import { sweepUnneeded } from './sweep.ts'

export interface CreateRequest extends ImageParts {
  keepBlobs: boolean
  /** Digest of the image that it stands on; the caller holds it. */
  parent: Digest | null
  /** A tar, as it is or compressed, with whiteouts as layers have them. */
  layer: Readable | null
  options: CreateImageOptions
  reference: string | null
  signal: AbortSignal
}

/** What is read of a configuration, to be changed; the rest of it stays as it is. */
const configSchema = z.looseObject({
  config: z.looseObject({ Env: z.array(z.string()).nullish() }).nullish(),
  history: z.array(z.looseObject({ empty_layer: z.boolean().nullish() })).nullish(),
  rootfs: z.looseObject({ diff_ids: z.array(z.string()) }),
})

export async function createImage(request: CreateRequest): Promise<Image> {
  const { parent, layer, options, leases } = request
  const lease = leases.take(`create ${randomBytes(8).toString('hex')}`)
  try {
    const base = parent === null ? null : await readDocuments(request, parent)
    const packed = layer === null ? null : await packLayer(request, lease, layer)
    const family =
      base && JSON.parse(base.manifest.bytes.toString('utf8')).mediaType === mediaTypes.dockerManifest
        ? 'docker'
        : 'oci'
    const created = (options.createdAt ?? new Date()).toISOString()
    const config = base
      ? configSchema.parse(JSON.parse(base.config.bytes.toString('utf8')))
      : {
          architecture: hostPlatform().architecture,
          os: 'linux',
          config: {},
          history: [],
          rootfs: { type: 'layers', diff_ids: [] },
        }
    const step = {
      created,
      created_by: options.createdBy ?? '',
      ...(options.author ? { author: options.author } : {}),
      ...(options.comment ? { comment: options.comment } : {}),
      ...(packed ? {} : { empty_layer: true }),
    }
    const { container: _, container_config: __, ...rest } = config as Record<string, unknown>
    const configBytes = Buffer.from(
      JSON.stringify({
        ...rest,
        created,
        ...(options.author ? { author: options.author } : {}),
        config: changed(config.config ?? {}, options.config ?? {}),
        rootfs: {
          ...config.rootfs,
          diff_ids: [...config.rootfs.diff_ids, ...(packed ? [packed.diffId] : [])],
        },
        history: [...pastSteps(config), step],
      }),
    )
    const layers: Descriptor[] = [
      ...(base?.manifest.parsed.layers ?? []),
      ...(packed
        ? [{ mediaType: partTypes[family].layer, digest: packed.digest, size: packed.sizeBytes }]
        : []),
    ]
    if (layers.length > maxLayers)
      throw new EngineError(
        'limit-exceeded',
        `the image would have more than ${maxLayers} layers: flatten it`,
      )
    const manifest = {
      schemaVersion: 2,
      mediaType: family === 'docker' ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
      config: {
        mediaType: partTypes[family].config,
        digest: digestOf(configBytes),
        size: configBytes.length,
      },
      layers,
    }
    return await recordImage(
      { ...request, lease },
      {
        documents: [Buffer.from(JSON.stringify(manifest))],
        reference: request.reference,
        source: null,
        readDocument: async () => configBytes,
        // The parent's layers are unpacked, and the new one was packed above.
        fetch: async () => {},
        onProgress: () => {},
        signal: request.signal,
      },
    )
  } finally {
    lease.end()
    lease.letGo()
    await sweepUnneeded(request)
  }
}

/** The steps so far; layers that nothing was told of get an empty one, so that the new step stands at its own layer. */
function pastSteps({ history, rootfs }: z.infer<typeof configSchema>): object[] {
  const steps = history ?? []
  const told = steps.filter((step) => !step.empty_layer).length
  const untold = Array.from({ length: Math.max(rootfs.diff_ids.length - told, 0) }, () => ({}))
  return [...steps, ...untold]
}

/** Takes a layer in: its diffID is of the plain tar, its digest of the packed one. */
async function packLayer(
  { content, signal }: CreateRequest,
  lease: Lease,
  source: Readable,
): Promise<{ digest: Digest; sizeBytes: number; diffId: Digest }> {
  const hash = createHash('sha256')
  let size = 0
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      hash.update(chunk)
      done(
        size > maxLayerBytes
          ? new EngineError('limit-exceeded', `the layer unpacks to more than ${maxLayerBytes} bytes`)
          : null,
        chunk,
      )
    },
  })
  const plain = await decompress(source)
  const packed = pipeline(source, plain, measure, createGzip({ level: gzipLevel }), () => {})
  const added = await content.add(packed, { maxBytes: maxLayerBytes, beforeCommit: lease.add, signal })
  return { ...added, diffId: `sha256:${hash.digest('hex')}` }
}

/** The configuration's own words for what is changed; what is not named stays. */
function changed(config: Record<string, unknown> & { Env?: string[] | null }, change: ConfigChange): object {
  const environment = new Map((config.Env ?? []).map((line) => [line.split('=', 1)[0] ?? '', line]))
  for (const [name, value] of Object.entries(change.environment ?? {}))
    environment.set(name, `${name}=${value}`)
  const given = {
    Entrypoint: change.entrypoint,
    Cmd: change.command,
    WorkingDir: change.workingDir,
    User: change.user,
    StopSignal: change.stopSignal,
    Labels: change.labels && { ...(config.Labels as object | null | undefined), ...change.labels },
    ExposedPorts:
      change.exposedPorts && Object.fromEntries(change.exposedPorts.map((port) => [`${port}/tcp`, {}])),
    Env: [...environment.values()],
  }
  return {
    ...config,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  }
}
