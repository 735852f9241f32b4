import type { ContentStore } from '../content/store.ts'
import { EngineError, isEngineError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { type Manifest, parseManifest } from '../oci/manifest.ts'
import type { ImageRows } from './image-rows.ts'

export interface ImageDocuments {
  manifest: { bytes: Buffer; parsed: Manifest }
  config: { bytes: Buffer; digest: Digest }
}

/** Reads an image's manifest and configuration as they came. Throws failed-precondition when they were not kept. */
export async function readDocuments(
  { content, rows }: { content: ContentStore; rows: ImageRows },
  digest: Digest,
): Promise<ImageDocuments> {
  const lost = (cause?: unknown) =>
    new EngineError(
      'failed-precondition',
      `the documents of image ${digest} are not on this host, as an older engine pulled it: pull it again`,
      { cause },
    )
  if (!rows.hasDocuments(digest)) throw lost()
  try {
    const bytes = await content.read(digest)
    const parsed = parseManifest(bytes, `the manifest of image ${digest}`)
    if (parsed.kind === 'index') throw new EngineError('internal', `image ${digest} is an index`)
    const config = parsed.manifest.config.digest
    return {
      manifest: { bytes, parsed: parsed.manifest },
      config: { bytes: await content.read(config), digest: config },
    }
  } catch (error) {
    throw isEngineError(error, 'not-found') ? lost(error) : error
  }
}
