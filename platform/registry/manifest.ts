import { z } from 'zod'

/** What the registry keeps under a digest: OCI image-spec 1.1 manifest.md and image-index.md, and Docker's own kin. */
export const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]

const digest = z.string().regex(/^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/)
const descriptor = z.object({
  digest,
  mediaType: z.string().max(255).default(''),
  size: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
})
const platform = z.object({
  os: z.string().max(64),
  architecture: z.string().max(64),
  variant: z.string().max(64).optional(),
})
const schema = z.object({
  mediaType: z.string().max(255).optional(),
  artifactType: z.string().max(255).optional(),
  config: descriptor.optional(),
  layers: z.array(descriptor).max(10_000).optional(),
  manifests: z
    .array(descriptor.extend({ platform: platform.optional() }))
    .max(10_000)
    .optional(),
  subject: z.object({ digest }).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
})

export interface Descriptor {
  digest: string
  mediaType: string
  sizeBytes: number
}

export interface ReadManifest {
  mediaType: string
  /** Null for an index. */
  config: Descriptor | null
  layers: Descriptor[]
  /** Digests of what an index names. */
  children: string[]
  artifactType: string | null
  subject: string | null
  annotations: Record<string, string>
}

/** Others pushed it, so it may be anything. Null for what is no manifest. */
export function parseManifest(bytes: Buffer, contentType: string): ReadManifest | null {
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch {
    return null
  }
  const parsed = schema.safeParse(json)
  if (!parsed.success) return null
  const { mediaType, config, layers = [], manifests = [], artifactType, subject, annotations } = parsed.data
  return {
    mediaType: contentType || (mediaType ?? ''),
    config: config === undefined ? null : show(config),
    layers: layers.map(show),
    children: [...new Set(manifests.map((child) => child.digest))],
    artifactType: artifactType ?? null,
    subject: subject?.digest ?? null,
    annotations: annotations ?? {},
  }
}

function show({ digest: of, mediaType, size }: z.infer<typeof descriptor>): Descriptor {
  return { digest: of, mediaType, sizeBytes: size }
}

const configSchema = z.object({
  os: z.string().max(64).optional(),
  architecture: z.string().max(64).optional(),
  variant: z.string().max(64).optional(),
  created: z.string().max(64).optional(),
  history: z
    .array(
      z.object({
        created: z.string().max(64).optional(),
        created_by: z.string().optional(),
        comment: z.string().optional(),
        empty_layer: z.boolean().optional(),
      }),
    )
    .max(10_000)
    .nullish(),
})

export type ImageConfig = z.infer<typeof configSchema>

/** An image's configuration (image-spec config.md); null for an artifact's, which may be anything. */
export function parseConfig(json: unknown): ImageConfig | null {
  const parsed = configSchema.safeParse(json)
  return parsed.success ? parsed.data : null
}

/** `linux/arm64`, `linux/arm/v7`; null where the configuration does not say. */
export function platformOf(config: ImageConfig | null): string | null {
  const { os, architecture, variant } = config ?? {}
  if (!os || !architecture) return null
  return [os, architecture, ...(variant ? [variant] : [])].join('/')
}
