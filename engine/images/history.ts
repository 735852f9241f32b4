import { parseConfig, parseHistory } from '../oci/manifest.ts'
import type { ImageDocuments } from './documents.ts'
import type { HistoryEntry } from './images.ts'

/** The steps that an image says it was made by, newest first, each with its layer; layers beyond them stand alone. */
export function historyOf({ manifest, config }: ImageDocuments): HistoryEntry[] {
  const { diffIds } = parseConfig(config.bytes, 'the configuration of the image')
  const layers = manifest.parsed.layers.map(({ size }, index) => ({
    diffId: diffIds[index] ?? '',
    sizeBytes: size,
  }))
  const steps = parseHistory(config.bytes).map(
    ({ created, created_by: createdBy, comment, empty_layer: isEmpty }): HistoryEntry => ({
      createdAt: created ?? null,
      createdBy: createdBy ?? '',
      comment: comment ?? '',
      layer: isEmpty ? null : (layers.shift() ?? null),
    }),
  )
  const unexplained = layers.map(
    (layer): HistoryEntry => ({ createdAt: null, createdBy: '', comment: '', layer }),
  )
  return [...steps, ...unexplained].reverse()
}
