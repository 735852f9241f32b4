/** Manifests, indexes and configurations, of both families. Sources: OCI image-spec, Docker image manifest v2 schema 2. */
import { z } from 'zod'
import { EngineError } from '../errors.ts'
import { isDigest } from './digest.ts'
import type { ImageConfig, ImageHealthCheck } from './image-config.ts'

/** Manifests, indexes and configurations above this are refused. */
export const maxDocumentBytes = 4 * 2 ** 20
export const maxLayers = 127
export const maxLayerBytes = 64 * 2 ** 30

/** Whoever made an image does not decide how busy the host is with it. */
const leastIntervalMs = 1_000
/** Of a time that a health check says. */
const longestMs = 3_600_000

export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const

/** What a manifest's parts are, in its own family's words. */
export const partTypes = {
  oci: {
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const

const descriptor = z.object({
  mediaType: z.string().optional(),
  digest: z.string().refine(isDigest, 'must be a sha256 digest'),
  size: z.number().int().min(0).max(maxLayerBytes),
})

const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  config: descriptor.extend({ size: z.number().int().min(0).max(maxDocumentBytes) }),
  layers: z.array(descriptor).max(maxLayers),
})

const indexSchema = z.object({
  schemaVersion: z.literal(2),
  manifests: z
    .array(
      descriptor.extend({
        platform: z
          .object({
            os: z.string().max(64),
            architecture: z.string().max(64),
            variant: z.string().max(64).optional(),
          })
          .optional(),
        annotations: z.record(z.string(), z.string()).optional(),
      }),
    )
    .max(1_000),
})

const strings = z.array(z.string()).max(10_000).nullish()
const nanoseconds = z.number().min(0).max(Number.MAX_SAFE_INTEGER).nullish()
const configSchema = z.object({
  architecture: z.string().nullish(),
  os: z.string().nullish(),
  variant: z.string().nullish(),
  created: z.string().nullish(),
  config: z
    .object({
      Entrypoint: strings,
      Cmd: strings,
      Env: strings,
      WorkingDir: z.string().nullish(),
      User: z.string().nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
      StopSignal: z.string().nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      Shell: strings,
      // Docker's own word. What does not read as one is none: it is no reason to refuse an image.
      Healthcheck: z
        .object({
          Test: z.array(z.string().max(10_000)).max(1_000),
          Interval: nanoseconds,
          Timeout: nanoseconds,
          StartPeriod: nanoseconds,
          Retries: z.number().int().min(0).max(1_000).nullish(),
        })
        .nullish()
        .catch(null),
    })
    .nullish(),
  rootfs: z.object({
    type: z.literal('layers'),
    diff_ids: z.array(z.string().refine(isDigest)).max(maxLayers),
  }),
})

const historySchema = z.object({
  history: z
    .array(
      z.object({
        created: z.string().nullish(),
        created_by: z.string().nullish(),
        comment: z.string().nullish(),
        empty_layer: z.boolean().nullish(),
      }),
    )
    .max(10_000)
    .nullish(),
})

export type Descriptor = z.infer<typeof descriptor>
export type Manifest = z.infer<typeof manifestSchema>
export type Index = z.infer<typeof indexSchema>

/** What a system must be to run an image; platform.ts says which do. */
export interface Platform {
  os: string
  /** As Go calls it: amd64, arm64, arm. */
  architecture: string
  /** v7 for arm, v3 for amd64; none means the oldest for amd64, v7 for arm and v8 for arm64. */
  variant?: string
}

export interface ParsedConfig {
  config: ImageConfig
  diffIds: string[]
  createdAt: string | null
  /** What it says it was made for; null when it does not. */
  platform: Platform | null
}

function parse<T>(schema: z.ZodType<T>, bytes: Buffer, what: string): T {
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new EngineError('corrupt', `${what} is not JSON`, { cause })
  }
  const result = schema.safeParse(json)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new EngineError(
    'corrupt',
    `${what} breaks the rules: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  )
}

/**
 * Reads a manifest or an index. A document that claims to be both is refused (CVE-2021-41190), also one that calls
 * itself by the other's media type. Addresses that a layer names (`urls`) are not read: layers come from the registry.
 * Throws corrupt, and unsupported for what is sound but no container image.
 */
export function parseManifest(
  bytes: Buffer,
  what: string,
): { kind: 'manifest'; manifest: Manifest } | { kind: 'index'; index: Index } {
  const shape = parse(z.looseObject({ mediaType: z.string().optional() }), bytes, what)
  const isIndex = 'manifests' in shape
  if (isIndex && ('layers' in shape || 'config' in shape))
    throw new EngineError('corrupt', `${what} claims to be a manifest and an index at once`)
  if ('fsLayers' in shape)
    throw new EngineError(
      'unsupported',
      `${what} is of Docker's schema 1, which is no longer served: push it again`,
    )
  const others: string[] = isIndex
    ? [mediaTypes.ociManifest, mediaTypes.dockerManifest]
    : [mediaTypes.ociIndex, mediaTypes.dockerList]
  if (shape.mediaType !== undefined && others.includes(shape.mediaType))
    throw new EngineError('corrupt', `${what} calls itself ${shape.mediaType} and is none`)
  if (isIndex) return { kind: 'index', index: parse(indexSchema, bytes, what) }
  const manifest = parse(manifestSchema, bytes, what)
  refuseOthers(manifest, what)
  return { kind: 'manifest', manifest }
}

const configTypes = /^application\/(?:vnd\.oci\.image\.config\.v1|vnd\.docker\.container\.image\.v1)\+json$/
const layerTypes = /^application\/vnd\.(?:oci\.image\.layer\.|docker\.image\.rootfs\.)/

/** Registries also keep charts, signatures and attestations as manifests. What has no type is taken for an image's. */
function refuseOthers({ config, layers }: Manifest, what: string): void {
  const isOther = (type: string | undefined, own: RegExp) =>
    type !== undefined && type !== '' && !own.test(type)
  const other = isOther(config.mediaType, configTypes)
    ? config
    : layers.find(({ mediaType }) => isOther(mediaType, layerTypes))
  if (other)
    throw new EngineError(
      'unsupported',
      `${what} is no container image but ${other.mediaType?.slice(0, 200)}`,
    )
  const sealed = layers.find(({ mediaType }) => mediaType?.endsWith('+encrypted'))
  if (sealed) throw new EngineError('unsupported', `layer ${sealed.digest} of ${what} is encrypted`)
}

/** The steps that a configuration says the image was made by, oldest first. */
export function parseHistory(bytes: Buffer): NonNullable<z.infer<typeof historySchema>['history']> {
  return parse(historySchema, bytes, 'the history of the image').history ?? []
}

/** Reads an image's configuration. */
export function parseConfig(bytes: Buffer, what: string): ParsedConfig {
  const { config, rootfs, created, os, architecture, variant } = parse(configSchema, bytes, what)
  const environment: Record<string, string> = {}
  for (const line of config?.Env ?? []) {
    const equals = line.indexOf('=')
    if (equals > 0) environment[line.slice(0, equals)] = line.slice(equals + 1)
  }
  const exposedPorts = Object.keys(config?.ExposedPorts ?? {})
    .filter((key) => !key.endsWith('/udp') && !key.endsWith('/sctp'))
    .map((key) => Number.parseInt(key, 10))
    .filter((port) => port >= 1 && port <= 65_535)
    .sort((a, b) => a - b)
  const healthCheck = healthCheckOf(config?.Healthcheck, config?.Shell)
  return {
    diffIds: rootfs.diff_ids,
    createdAt: created ?? null,
    platform: os && architecture ? { os, architecture, ...(variant ? { variant } : {}) } : null,
    config: {
      entrypoint: config?.Entrypoint ?? [],
      command: config?.Cmd ?? [],
      environment,
      workingDir: config?.WorkingDir || '/',
      user: config?.User ?? '',
      exposedPorts,
      stopSignal: config?.StopSignal || 'SIGTERM',
      labels: config?.Labels ?? {},
      ...(healthCheck === null ? {} : { healthCheck }),
    },
  }
}

/** HEALTHCHECK of a Dockerfile. A time of 0 is as if it were not said. Source: Docker image specification v1.2. */
function healthCheckOf(
  check: NonNullable<z.infer<typeof configSchema>['config']>['Healthcheck'],
  shell: string[] | null | undefined,
): ImageHealthCheck | null {
  const [kind, ...rest] = check?.Test ?? []
  const inShell = shell && shell.length > 0 ? shell : ['/bin/sh', '-c']
  const command = kind === 'CMD' ? rest : kind === 'CMD-SHELL' ? [...inShell, ...rest] : []
  if (!check || rest.length === 0 || (command[0] ?? '') === '' || command.some((word) => word.includes('\0')))
    return null
  const ms = (value: number) => Math.min(longestMs, Math.ceil(value / 1e6))
  return {
    command,
    ...(check.Interval ? { intervalMs: Math.max(leastIntervalMs, ms(check.Interval)) } : {}),
    ...(check.Timeout ? { timeoutMs: ms(check.Timeout) } : {}),
    ...(check.StartPeriod ? { startPeriodMs: ms(check.StartPeriod) } : {}),
    ...(check.Retries ? { retries: check.Retries } : {}),
  }
}
