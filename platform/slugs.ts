import { isUniqueViolation } from './database.ts'
import { PlatformError } from './errors.ts'
import { slugFrom } from './model/names.ts'

interface FreeSlugOptions<Made> {
  /** What the caller asked for: used as it is, or a conflict. */
  wanted: string | undefined
  /** Otherwise the slug is made from the name … */
  name: string
  /** … or from this where nothing in the name is usable, as in 示例. */
  fallback: string
  /** Slugs in use that begin so. */
  taken: (beginning: string) => Promise<string[]>
  /** The whole transaction; it may be run again with another slug. */
  create: (slug: string) => Promise<Made>
}

const attempts = 8

/** Creates something under a slug that is free: `shop`, or `shop-2` and so on. Throws `conflict` for a wanted one that isn't. */
export async function withFreeSlug<Made>(options: FreeSlugOptions<Made>): Promise<Made> {
  for (let attempt = 1; ; attempt++) {
    const slug = options.wanted ?? (await freeSlug(options))
    try {
      return await options.create(slug)
    } catch (error) {
      if (!isUniqueViolation(error)) throw error
      if (options.wanted === undefined && attempt < attempts) continue
      throw new PlatformError('conflict', `The name ${slug} is taken here; choose another.`, {
        fields: [{ path: 'slug', message: 'is taken' }],
        cause: error,
      })
    }
  }
}

async function freeSlug(options: FreeSlugOptions<unknown>): Promise<string> {
  // Room for a suffix, so that all candidates begin alike.
  const base = (slugFrom(options.name) || options.fallback).slice(0, 34).replace(/-+$/, '')
  const taken = new Set(await options.taken(base))
  for (let number = 1; ; number++) {
    const slug = number === 1 ? base : `${base}-${number}`
    if (!taken.has(slug)) return slug
  }
}
