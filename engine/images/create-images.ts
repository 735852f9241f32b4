/** The image store: what was pulled, what it is made of, and what may go. */
import type { Readable } from 'node:stream'
import type { EngineOptions } from '../engine.ts'
import { EngineError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { parsePlatform } from '../oci/platform.ts'
import { formatReference, parseReference, parseRepository } from '../oci/reference.ts'
import { createRegistryClient } from '../registry/client.ts'
import { orDiskFull } from '../sys/disk.ts'
import { hostPlatform } from '../sys/host-platform.ts'
import { createImage } from './create-image.ts'
import { onlyFor, registryOf } from './credentials.ts'
import { readDocuments } from './documents.ts'
import { ensureBlob } from './ensure-blob.ts'
import { historyOf } from './history.ts'
import type { CreateImageOptions, CredentialsFor, Image, Images, RemovedImage } from './images.ts'
import { loadImages } from './load.ts'
import { type ImageParts, usingImage } from './parts.ts'
import { pullImage } from './pull.ts'
import { pushImage } from './push.ts'
import { saveImages } from './save.ts'
import { createShared } from './shared-work.ts'
import { sweepUnneeded } from './sweep.ts'

const defaultArchiveBytes = 64 * 2 ** 30

export interface ImagesOptions {
  registries?: EngineOptions['registries']
  onlyListedLoopback?: EngineOptions['onlyListedLoopback']
  proxy?: EngineOptions['proxy']
  /** Ids of the containers that are made of the image of this digest. */
  usedBy?: (digest: Digest) => string[]
  keepBlobs?: boolean
  credentialsFor?: CredentialsFor
}

export async function createImages(
  parts: ImageParts,
  {
    registries,
    onlyListedLoopback,
    proxy,
    usedBy = () => [],
    keepBlobs = true,
    credentialsFor = async () => undefined,
  }: ImagesOptions = {},
): Promise<Images & { close(): Promise<void> }> {
  const { rows, content } = parts
  const client = createRegistryClient({ registries, onlyListedLoopback, proxy })
  const closing = new AbortController()
  const pulls = createShared<Image>(closing.signal)
  const underWay = new Set<Promise<unknown>>()
  await sweepUnneeded(parts)

  async function remove(key: string, { force = false }: { force?: boolean } = {}): Promise<RemovedImage> {
    const image = rows.get(key)
    const named = image.references.find((reference) => reference === normal(key))
    if (named !== undefined && image.references.length > 1) {
      rows.unname(named)
      return { untagged: [named], deleted: null }
    }
    if (named === undefined && image.references.length > 1 && !force)
      throw new EngineError(
        'failed-precondition',
        `image ${image.digest} has several names (${image.references.join(', ')}): remove those, or force it`,
      )
    assertFree(image.digest)
    rows.remove(image.digest)
    await sweepUnneeded(parts)
    return { untagged: image.references, deleted: image.digest }
  }

  function assertFree(digest: Digest): void {
    const [first, ...others] = usedBy(digest)
    if (first !== undefined)
      throw new EngineError(
        'failed-precondition',
        `image ${digest} is used by container ${first}${others.length > 0 ? ` and ${others.length} more` : ''}: remove that first`,
      )
    if (parts.busy.has(digest))
      throw new EngineError(
        'failed-precondition',
        `image ${digest} is being copied, or made into a container: try again when that is done`,
      )
  }

  /** Work that ends when the engine closes. */
  async function working<T>(
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const either = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal
    either.throwIfAborted()
    const running = work(either)
    underWay.add(running)
    try {
      return await running
    } finally {
      underWay.delete(running)
    }
  }

  function create(
    parent: Digest | null,
    layer: Readable | null,
    createOptions: CreateImageOptions,
  ): Promise<Image> {
    const { reference, signal, ...options } = createOptions
    const name = reference === undefined ? null : newName(reference)
    return working(signal, (workSignal) =>
      createImage({ ...parts, keepBlobs, parent, layer, options, reference: name, signal: workSignal }),
    )
  }

  return {
    async pull(text, { platform: wanted, credentials, realm = null, onProgress, signal } = {}) {
      if (realm === '') throw new EngineError('invalid', 'a realm has a name')
      const reference = parseReference(text)
      const platform =
        wanted === undefined ? null : wanted === 'host' ? hostPlatform() : parsePlatform(wanted)
      const key = JSON.stringify([formatReference(reference), platform, credentials ?? null, realm])
      return pulls.join(key, signal, onProgress, (workSignal, report) =>
        pullImage({
          ...parts,
          reference,
          platform,
          realm,
          client,
          keepBlobs,
          credentials,
          onProgress: report,
          signal: workSignal,
        })
          .catch(async (error: unknown) => {
            // What a broken image brought here is of no use to anybody.
            await sweepUnneeded(parts).catch(() => {})
            throw error
          })
          .catch(orDiskFull(`image ${formatReference(reference)}`)),
      )
    },

    async namesIn(text, { credentials, signal } = {}) {
      const repository = parseRepository(text)
      const tags = await working(signal, (workSignal) =>
        client.listTags(repository, { credentials, signal: workSignal }),
      )
      return tags.map((tag) => formatReference({ ...repository, tag, digest: null }))
    },

    async push(key, { to = key, credentials, onProgress, signal } = {}) {
      const target = parseReference(to)
      if (target.digest !== null)
        throw new EngineError('invalid', `${to} has a digest: say the tag to push as`)
      const digest = await working(signal, (workSignal) =>
        pushImage(
          {
            ...parts,
            client,
            target,
            credentialsFor: onlyFor(target.registry, credentials, credentialsFor),
            options: { credentials, onProgress, signal: workSignal },
          },
          key,
        ),
      )
      return { reference: formatReference(target), digest }
    },

    async inspect(key, { realm = null } = {}) {
      const image = rows.get(key)
      if (parts.proofs.hasImage(realm, image.digest)) return image
      throw new EngineError('not-found', `image ${key} is not on this host`)
    },
    list: async () => rows.all(),

    async documents(key) {
      const { manifest, config } = await readDocuments(parts, rows.get(key).digest)
      return { manifest: manifest.bytes.toString('utf8'), config: config.bytes.toString('utf8') }
    },

    history: async (key) => historyOf(await readDocuments({ content, rows }, rows.get(key).digest)),

    async tag(key, reference) {
      const { digest } = rows.get(key)
      rows.name(newName(reference), digest)
      return rows.get(digest)
    },

    remove,

    async save(keys, { format = 'oci', credentials, signal } = {}) {
      if (keys.length === 0) throw new EngineError('invalid', 'say which images to save')
      const registry = credentials === undefined ? null : registryOf(rows, keys)
      return saveImages(parts, keys, {
        format,
        signal: signal ? AbortSignal.any([signal, closing.signal]) : closing.signal,
        ensureBlob: (layer, blobSignal) =>
          ensureBlob(layer, {
            ...parts,
            client,
            credentialsFor: onlyFor(registry, credentials, credentialsFor),
            signal: blobSignal,
          }),
      })
    },

    load: (archive, { maxBytes = defaultArchiveBytes, onProgress = () => {}, signal } = {}) =>
      working(signal, (workSignal) =>
        loadImages(archive, { ...parts, keepBlobs, maxBytes, onProgress, signal: workSignal }),
      ),

    import: (layer, createOptions = {}) => create(null, layer, createOptions),
    create: (parent, { layer, ...createOptions } = {}) =>
      usingImage(parts, parent, (digest) => create(digest, layer ?? null, createOptions)).finally(() =>
        // Whatever failed, and wherever: nobody else would end what writes it.
        layer?.destroy(),
      ),

    using: (key, work) => usingImage(parts, key, (digest) => work(rows.get(digest))),

    async close() {
      closing.abort(new EngineError('canceled', 'the engine is closing'))
      await pulls.settled()
      await Promise.allSettled(underWay)
      client.close()
      await parts.trash.close()
    },
  }
}

/** A name to give: a digest can't be chosen. */
function newName(text: string): string {
  const reference = parseReference(text)
  if (reference.digest !== null)
    throw new EngineError('invalid', `${text} has a digest: a name that is given has a tag`)
  return formatReference(reference)
}

function normal(text: string): string | null {
  try {
    return formatReference(parseReference(text))
  } catch {
    // A digest or its first digits.
    return null
  }
}
