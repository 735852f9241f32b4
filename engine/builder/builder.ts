/**
 * Builds images from source, with buildah, which is never trusted: each build runs in a container of its own, with ids,
 * a network and limits of its own, from which it reaches the world and nothing of this host but the allowed ports. It is
 * told no password but those that it pushes and pulls with, and ends as a whole: when it is done, when it is called off, at its
 * limits, and when the engine's process is gone. What a build leaves is the image in its registry, a cache that lasts until
 * the host starts anew, and for some minutes a container in which nothing has run, for the next build with that cache.
 */
import type { Readable } from 'node:stream'
import type { IdRange } from '../sys/user-namespace.ts'

export interface Builder {
  /**
   * Builds and pushes. Two builds with one cache take turns. Throws BuildFailure for what is wrong with the source or
   * reaches a limit, EngineError for what is wrong here, and the signal's reason.
   */
  build(spec: BuildSpec, options: BuildOptions): Promise<BuildResult>
  /** Forgets what builds with this cache left. Waits for one that is under way. No error if there is nothing. */
  dropCache(cache: string): Promise<void>
}

export interface BuildSpec {
  /** Chosen by the caller, unique on this host among builds that run: [a-z0-9][a-z0-9_-]{0,56}. */
  id: string
  source: BuildSource
  /** Folder of the source that is the context, and below which the Dockerfile is; default all of it. */
  folder?: string
  /** Default Dockerfile, or Containerfile. */
  dockerfile?: string
  /** Asked where none is named and the source has none. What it throws is what the build ends with. */
  generate?: (source: SourceFiles) => Promise<GeneratedDockerfile>
  /** The stage to build; default the last. */
  target?: string
  args?: Record<string, string>
  /** By id, for `RUN --mount=type=secret,id=…`: in memory, and in no layer. */
  secrets?: Record<string, string>
  /** Added to those of the Dockerfile. */
  labels?: Record<string, string>
  /** What the image says of when it was made, and its new files too: the same source makes the same image. */
  timestamp?: Date
  push: PushTarget
  /** How registries of base images are reached, where that is not by their names. */
  registries?: readonly BuildRegistry[]
  /** For base images that are not public; buildah has them while it runs, and no step of the Dockerfile. */
  logins?: readonly BuildLogin[]
  /** Name of the cache, such as the app's; a volume `build-<name>` of this range. */
  cache: string
  sharedCache?: SharedCache
  /** Host ids of builds with this cache, and of nothing else. */
  idRange: IdRange
  limits: BuildLimits
}

export interface BuildSource {
  /**
   * The archive, which is unpacked inside the build's container only; asked again when a build has to begin anew. What it
   * fails with is what the build ends with.
   */
  open(): Readable
  format: SourceFormat
}

/** The source as it lies in the build's container. */
export interface SourceFiles {
  /** Names of files, seen from the folder that is built: not of all where there are very many, and none far down. */
  files: readonly string[]
  /** Up to 256 KiB of one of them; null when it can't be read. */
  read(path: string): Promise<string | null>
}

export interface GeneratedDockerfile {
  dockerfile: string
  /** Text of a .dockerignore, for a source that has none. */
  ignore: string
}

export const sourceFormats = ['tar', 'tar.gz', 'zip'] as const
export type SourceFormat = (typeof sourceFormats)[number]

export interface PushTarget {
  /** Such as localhost:7080/acme/shop:build-3. A name of this machine itself means the host, at an allowed port. */
  reference: string
  /** Reach only what the build may push and pull. */
  credentials?: { username: string; password: string }
  /** The registry speaks http. */
  insecure?: boolean
}

/**
 * Where layers are looked for where the cache has none, as on another host, and left behind an answer. Without it builds are
 * the same, and slower.
 */
export interface SharedCache {
  /** A repository of the registry that is pushed to, for this cache only, such as localhost:7080/acme/shop/build-cache. */
  repository: string
  /** Reach this repository, for ten minutes more than the build may take. */
  credentials?: { username: string; password: string }
}

export interface BuildRegistry extends ReachedRegistry {
  /** As images name it, such as docker.io. */
  host: string
  /** Asked before it, in their order. */
  mirrors?: readonly (ReachedRegistry & { credentials?: { username: string; password: string } })[]
}

export interface ReachedRegistry {
  /** Where it really is; the host itself where it is missing. */
  url?: string
  /** PEM certificates of its authority. */
  ca?: string
}

export interface BuildLogin {
  host: string
  /** For images whose names begin so; empty: for all of the host. */
  prefix: string
  username: string
  password: string
}

export interface BuildLimits {
  memoryBytes: number
  /** Thousandths of a processor; it gives way to whoever else wants one, and keeps a tenth of what others get. */
  cpuMillis: number
  pids: number
  /** For the source, the layers and the cache together. */
  diskBytes: number
  timeMs: number
}

export interface BuildOptions {
  onLine?: (line: BuildLine) => void
  onPhase?: (phase: BuildPhase) => void
  signal?: AbortSignal
}

export interface BuildLine {
  stream: 'stdout' | 'stderr'
  text: string
}

export type BuildPhase = 'unpacking' | 'building' | 'pushing'

export interface BuildResult {
  /** Of the manifest in the registry. */
  digest: string
  /** Whether earlier builds' layers were there to use. */
  hadCache: boolean
}

export type BuildFailureReason =
  | 'source-invalid' // the archive can't be unpacked
  | 'dockerfile-missing' // `message` is what the folder has instead
  | 'not-understood' // thrown by whoever generates Dockerfiles, never by a builder
  | 'base-image' // it is not there, or not to be had
  | 'failed' // a step, or the Dockerfile itself
  | 'out-of-memory'
  | 'timeout'
  | 'disk-full' // also with nothing left of earlier builds
  | 'too-many-processes'
  | 'push-failed'

/** A build that did not succeed for a reason of its own. `message` is what buildah or the archive's reader said last. */
export class BuildFailure extends Error {
  override readonly name = 'BuildFailure'
  readonly reason: BuildFailureReason
  readonly exitCode: number | null
  /** Whether earlier builds' layers took room. */
  readonly hadCache: boolean

  constructor(reason: BuildFailureReason, message: string, exitCode: number | null = null, hadCache = false) {
    super(message)
    this.reason = reason
    this.exitCode = exitCode
    this.hadCache = hadCache
  }
}
