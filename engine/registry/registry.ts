/**
 * A registry, as the rest of the engine sees it: documents and blobs by name and digest, to fetch and to push.
 *
 * Credentials go to the reference's own registry and to the token server that it names, never to another host, never
 * after a redirect elsewhere, and never to a mirror. Every call may be made twice. What may pass is tried again inside
 * (connections, 5xx, 429 with its `Retry-After`) before it is thrown. Errors are EngineError: `not-found`,
 * `access-denied`, `rate-limited` (with `retryAfterMs` where the registry says so), `unavailable`, `corrupt` (bytes are
 * not what their digest says, or the registry lies about lengths), `limit-exceeded`, `invalid`; the message names the
 * registry and the image, layer or blob.
 *
 * Source: the OCI distribution specification 1.1.
 */
import type { Readable } from 'node:stream'
import type { Digest } from '../oci/digest.ts'
import type { Reference } from '../oci/reference.ts'

export interface RegistryClient extends RegistryReader, RegistryWriter {
  /** Lets go of the connections that are kept for later. Requests under way go on. */
  close(): void
}

/** Where something lies: the reference's tag and digest do not matter. */
export type Repository = Pick<Reference, 'registry' | 'repository'>

/** Sent to the reference's own registry (and the token server that it names), never to another host. */
export type RegistryCredentials =
  | { kind: 'basic'; username: string; password: string }
  /** What `docker login` got from the token server instead of keeping the password; tokens are asked for with it. */
  | { kind: 'identity'; token: string }
  /** Used as it is. */
  | { kind: 'bearer'; token: string }

export interface RequestOptions {
  credentials?: RegistryCredentials
  signal?: AbortSignal
}

export interface RemoteDocument {
  digest: Digest
  /** What the registry says it is, without parameters; not to be trusted beyond choosing words. */
  mediaType: string | null
  bytes: Buffer
}

/** What a manifest says about a blob: nothing beyond it is taken. */
export interface RemoteBlob {
  digest: Digest
  /** In bytes. */
  size: number
}

export interface RegistryReader {
  /** The digest that a tag means now. Costs no rate-limited pull where the registry has HEAD. Throws not-found. */
  resolve(reference: Reference, options?: RequestOptions): Promise<Digest>
  /**
   * The repository's tags, sorted, all pages of them, of the registry itself. Throws not-found, and limit-exceeded for more
   * than 10,000.
   */
  listTags(repository: Repository, options?: RequestOptions): Promise<string[]>
  /** A manifest or an index of at most 4 MiB, and its digest, verified when the reference has one. */
  fetchManifest(reference: Reference, options?: RequestOptions): Promise<RemoteDocument>
  /** A small blob (a configuration), whole and verified. */
  fetchDocument(repository: Repository, blob: RemoteBlob, options?: RequestOptions): Promise<Buffer>
  /**
   * A blob's bytes from `offset` to its end: exactly so many, or the stream fails. Large ones come over several
   * connections, and what breaks off is gone on with where it stopped; not verified against its digest (whoever keeps
   * the bytes hashes them). The first byte is awaited before it returns.
   */
  openBlob(
    repository: Repository,
    blob: RemoteBlob,
    options?: RequestOptions & { offset?: number },
  ): Promise<BlobStream>
}

export interface BlobStream {
  stream: Readable
  /** Who delivers it, for messages: the registry's host or a mirror's. */
  from: string
}

export interface RegistryWriter {
  /** Whether the repository has the blob. */
  blobExists(repository: Repository, digest: Digest, options?: RequestOptions): Promise<boolean>
  /**
   * Makes a blob of another repository of the same registry this one's as well, with no byte sent. False when the
   * registry does not do it (it has no such blob, or we may not read there): upload then.
   */
  mountBlob(
    repository: Repository,
    digest: Digest,
    fromRepository: string,
    options?: RequestOptions,
  ): Promise<boolean>
  /**
   * Uploads a blob; one that is cut off is gone on with from where the registry has it. Look with `blobExists` first:
   * this sends it in any case. Throws corrupt when the registry says that the bytes are not its digest's.
   */
  uploadBlob(repository: Repository, blob: BlobSource, options?: UploadOptions): Promise<void>
  /**
   * Stores a manifest or an index by the reference's tag, or by its own digest when the reference has none; what it lists must be
   * there before. Answers with its digest, which the registry must confirm.
   */
  putManifest(
    reference: Reference,
    document: { mediaType: string; bytes: Buffer },
    options?: RequestOptions,
  ): Promise<Digest>
}

export interface BlobSource extends RemoteBlob {
  /** The bytes from `offset` on; called again after a cut. Whoever calls destroys the stream. */
  open(offset: number): Readable | Promise<Readable>
}

export interface UploadOptions extends RequestOptions {
  /** Called with the bytes that are sent by now; goes back after a cut. */
  onBytes?: (doneBytes: number) => void
}
