/**
 * Images: read-only, layered, named by digest.
 *
 * An image is on this host when all of it is: its documents and its layers, verified and unpacked. What a pull or load
 * was cut off from is resumed or swept later; nothing half-made is ever visible. A reference such as `nginx:1.27` is a
 * name for a digest: an image may have several names, or none ("dangling"), and a name can be given to another image.
 *
 * Where a `key` is asked for, it is a digest (`sha256:…`, also of the index or configuration), its first digits (four
 * at least), or a reference as users of Docker write them.
 */

import type { Readable } from 'node:stream'
import type { ImageConfig } from '../oci/image-config.ts'
import type { PushProgress } from '../registry/push.ts'
import type { RegistryCredentials } from '../registry/registry.ts'

export type { ImageConfig, ImageHealthCheck } from '../oci/image-config.ts'
export type { RegistryCredentials } from '../registry/registry.ts'

export interface Images {
  /**
   * Makes an image ready to run. Pulling what is here already touches the registry only to resolve a tag. Several pulls
   * of one image share the work.
   */
  pull(reference: string, options?: PullOptions): Promise<Image>
  /** The names that a repository, such as `ghcr.io/acme/shop`, has in its registry now, sorted; at most 10,000. */
  namesIn(repository: string, options?: Pick<PullOptions, 'credentials' | 'signal'>): Promise<string[]>
  /**
   * Makes a name in a registry mean this image, with the same digest. What the registry has is not sent again. Until the
   * end the name means what it did before. Throws what pulls throw.
   */
  push(key: string, options?: PushImageOptions): Promise<{ reference: string; digest: string }>
  /** Throws not-found; for a realm also when it was not pulled for that. */
  inspect(key: string, options?: { realm?: string }): Promise<Image>
  list(): Promise<Image[]>
  /** The image's documents as they came, as text. Throws not-found. */
  documents(key: string): Promise<{ manifest: string; config: string }>
  /** How the image was made, newest step first, as far as it says. */
  history(key: string): Promise<HistoryEntry[]>
  /** Gives an image one more name, which another image may have had. */
  tag(key: string, reference: string): Promise<Image>
  /**
   * By a reference: takes that name away, and with its last name the image goes. By a digest: the image goes with its
   * name; with several names only by `force`. Layers go unless something else needs them. Throws not-found, and
   * failed-precondition, naming who, while a container is made of it.
   */
  remove(key: string, options?: { force?: boolean }): Promise<RemovedImage>
  /**
   * Writes images into an archive, with all bytes as they came, so that they keep their digests. Asked for by a name an
   * image gets that name there, by a digest all of its names. What fails later fails the stream.
   */
  save(keys: string[], options?: SaveOptions): Promise<Readable>
  /**
   * Loads all images for this host out of an archive, an OCI layout or what `docker save` writes, plain or compressed
   * by gzip or zstd. Throws corrupt for one whose bytes are not what it says, and limit-exceeded.
   */
  load(archive: Readable, options?: LoadOptions): Promise<Image[]>
  /** Makes an image of the tar of a root file system. */
  import(tar: Readable, options?: CreateImageOptions): Promise<Image>
  /** Makes an image of another one, one more layer, and changes to the configuration. */
  create(parent: string, options?: CreateImageOptions & { layer?: Readable }): Promise<Image>
  /** Lends an image: it cannot be removed while the work goes on. Throws not-found. */
  using<T>(key: string, work: (image: Image) => Promise<T>): Promise<T>
}

export interface PullOptions {
  /**
   * Such as linux/arm64 or linux/arm/v7, or `host`. Throws wrong-platform, naming what there is, before any layer is
   * fetched. Default this host's where there is a choice; an image that no index offers is then taken as it is, as by
   * Docker.
   */
  platform?: string
  credentials?: RegistryCredentials
  /**
   * Whom it is pulled for, such as a tenant: what others brought to this host is used only after the registry has sent
   * it for this realm as well, so that its digest alone gives nobody an image or a layer. The registry is always asked.
   * Default nobody in particular, who may use everything.
   */
  realm?: string
  /** All layers as they stand; at most ten times a second, and once at the end. */
  onProgress?: (layers: LayerProgress[]) => void
  signal?: AbortSignal
}

export interface PushImageOptions {
  /** Reference to push as; default the key itself, which is a reference then. */
  to?: string
  /** Of the registry that is pushed to. */
  credentials?: RegistryCredentials
  /** Layers and configuration as they stand; at most ten times a second, and once at the end. */
  onProgress?: (blobs: PushProgress[]) => void
  signal?: AbortSignal
}

/** Credentials for what the engine fetches by itself: packed layers that were dropped to make room. */
export type CredentialsFor = (repository: {
  registry: string
  repository: string
}) => Promise<RegistryCredentials | undefined>

export interface LayerProgress {
  digest: string
  state: 'waiting' | 'downloading' | 'verifying' | 'unpacking' | 'done' | 'exists'
  doneBytes: number
  totalBytes: number
}

/** `docker` is an OCI layout that `docker load` of any age reads too. */
export type SaveFormat = 'oci' | 'docker'

export interface SaveOptions {
  /** Default `oci`. */
  format?: SaveFormat
  /**
   * For packed layers that are not here any more and must be fetched again; sent to the registry of the names that are
   * saved only, and invalid when those are of several.
   */
  credentials?: RegistryCredentials
  signal?: AbortSignal
}

export interface LoadOptions {
  /** The archive may unpack to so many bytes; default 64 GiB. */
  maxBytes?: number
  /** Layers of the image that is being loaded. */
  onProgress?: (layers: LayerProgress[]) => void
  signal?: AbortSignal
}

export interface CreateImageOptions {
  /** Name that the image gets. */
  reference?: string
  config?: ConfigChange
  author?: string
  comment?: string
  /** What made the new layer, for the history. */
  createdBy?: string
  createdAt?: Date
  signal?: AbortSignal
}

/** What is not named stays as it is; environment and labels are added. */
export type ConfigChange = Partial<Omit<ImageConfig, 'healthCheck'>>

export interface Image {
  /** Digest of the manifest for this host's platform. */
  digest: string
  /** Its names, sorted; none when it is dangling. */
  references: string[]
  config: ImageConfig
  /** DiffIDs, lowest first. */
  layers: string[]
  /** Digests of the packed layers, in the same order. */
  blobs: string[]
  /** Packed size of all layers. */
  sizeBytes: number
  /** When it was made, as it says itself. */
  createdAt: string | null
  /** When it came to this host. */
  recordedAt: string
  /** When it was last pulled or a container was made of it. */
  usedAt: string
}

export interface HistoryEntry {
  createdAt: string | null
  createdBy: string
  comment: string
  /** The layer that this step made, and its packed size; null when it only changed the configuration. */
  layer: { diffId: string; sizeBytes: number } | null
}

export interface RemovedImage {
  /** Names that were taken away. */
  untagged: string[]
  /** The image's digest, when it is gone. */
  deleted: string | null
}
