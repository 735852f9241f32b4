import { z } from 'zod'

/** How a collection of the registry's garbage went. */
export const registryCollectionSchema = z.object({
  startedAt: z.iso.datetime(),
  /** Null while it runs. */
  finishedAt: z.iso.datetime().nullable(),
  /** Bytes that the disk has again. */
  freedBytes: z.number().int(),
  /** Layers, configurations and manifests that are gone. */
  blobCount: z.number().int(),
  /** Uploads that were broken off long ago. */
  uploadCount: z.number().int(),
  /** What all teams' images take on disk, each layer once. */
  storedBytes: z.number().int(),
  /** Repositories that somebody pushes to: what they don't need is collected when that is over. */
  heldBack: z.number().int(),
  /** Why it did not come to its end. */
  problem: z.string().nullable(),
})

export type RegistryCollection = z.infer<typeof registryCollectionSchema>
