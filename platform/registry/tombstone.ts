import { randomUUID } from 'node:crypto'
import type { Platform } from '../open.ts'
import { deleteManifest, writeManifest } from './client.ts'
import type { ReadManifest } from './manifest.ts'

/**
 * Distribution 2.8 deletes digests only, with every tag that names them. To take one tag away, it is made to name a
 * manifest of its own, an empty index that nothing else is like, and that is deleted. A push of the tag meanwhile wins.
 */
const annotation = 'berth.tag-removed'
const mediaType = 'application/vnd.oci.image.index.v1+json'

export async function untag(platform: Platform, name: string, tag: string): Promise<void> {
  const annotations = { [annotation]: randomUUID() }
  const body = JSON.stringify({ schemaVersion: 2, mediaType, manifests: [], annotations })
  const digest = await writeManifest(platform, name, tag, { mediaType, body })
  await deleteManifest(platform, name, digest)
}

/** What an untag() that was cut off left behind: it is to be deleted. */
export function isTombstone(manifest: ReadManifest): boolean {
  return manifest.annotations[annotation] !== undefined
}
