/** What the readers of both kinds of archives share. */
import { formatReference, parseReference } from '../oci/reference.ts'
import type { Archive } from './archive-reader.ts'
import type { LayerProgress } from './images.ts'
import type { Lease } from './leases.ts'
import type { ImageParts } from './parts.ts'

export interface LoadRequest extends ImageParts {
  keepBlobs: boolean
  maxBytes: number
  onProgress: (layers: LayerProgress[]) => void
  signal: AbortSignal
}

/** What loading one image of an archive works with. */
export interface Loading extends LoadRequest {
  archive: Archive
  lease: Lease
}

/** A name as this host writes it; null for what is none. */
export function normalName(text: string | undefined): string | null {
  try {
    if (text === undefined) return null
    const reference = parseReference(text)
    return reference.tag === null ? null : formatReference({ ...reference, digest: null })
  } catch {
    return null
  }
}
