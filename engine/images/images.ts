/**
 * Images: read-only, layered, named by digest.
 *
 * `pull` makes an image ready to run: its layers are verified, unpacked and on disk when it returns. What a pull was
 * cut off from is resumed or swept later; nothing half-made is ever visible. Pulling what is here already touches the
 * registry only to resolve a tag. Several pulls of one image share the work.
 */
export interface Images {
  pull(reference: string, options?: PullOptions): Promise<Image>
  /** By digest (sha256:…) or by the reference it was pulled as. Throws not-found. */
  inspect(digestOrReference: string): Promise<Image>
  list(): Promise<Image[]>
  /** Removes the image and every layer that nothing else needs; failed-precondition while a container uses it. */
  remove(digest: string): Promise<void>
}

export interface PullOptions {
  credentials?: RegistryCredentials
  /** All layers as they stand; at most ten times a second, and once at the end. */
  onProgress?: (layers: LayerProgress[]) => void
  signal?: AbortSignal
}

/** Sent to the reference's own registry (and the token server that it names), never to another host. */
export type RegistryCredentials =
  | { kind: 'basic'; username: string; password: string }
  | { kind: 'bearer'; token: string }

export interface LayerProgress {
  digest: string
  state: 'waiting' | 'downloading' | 'verifying' | 'unpacking' | 'done' | 'exists'
  doneBytes: number
  totalBytes: number
}

export interface Image {
  /** Digest of the manifest for this host's platform. */
  digest: string
  /** References that it was pulled as. */
  references: string[]
  config: ImageConfig
  /** DiffIDs, lowest first. */
  layers: string[]
  /** Compressed size of all layers. */
  sizeBytes: number
  createdAt: string | null
}

export interface ImageConfig {
  entrypoint: string[]
  command: string[]
  environment: Record<string, string>
  workingDir: string
  user: string
  /** TCP ports that the image says it listens on. */
  exposedPorts: number[]
  stopSignal: string
  labels: Record<string, string>
}
