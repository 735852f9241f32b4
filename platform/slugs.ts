import { isUniqueViolation } from './database.ts'
import { PlatformError } from './errors.ts'
import { slugFrom } from './model/names.ts'

interface FreeSlugOptions<Made> {
  /** What the caller asked for: used as it is, or a conflict. */
  wanted: string | undefined
  /** Otherwise the slug is made from the name, or from the kind where nothing in the name is usable, as in 示例. */
  name: string
  kind: keyof typeof reserved
  /** Slugs in use that begin so. */
  taken: (beginning: string) => Promise<string[]>
  /** The whole transaction; it may be run again with another slug. */
  create: (slug: string) => Promise<Made>
}

const attempts = 8

/** Words that the dashboard's own addresses use in a slug's place. */
const reserved = {
  team: [
    ...['account', 'admin', 'api', 'docs', 'forgot', 'join', 'new', 'register', 'reset', 'settings', 'setup'],
    ...['sign-in', 'v2'],
  ],
  project: ['activity', 'members', 'new', 'repositories', 'settings', 'tokens'],
  app: ['new', 'settings'],
} as const satisfies Record<string, string[]>

/** Creates something under a slug that is free: `shop`, or `shop-2` and so on. Throws `conflict` for a wanted one that isn't. */
export async function withFreeSlug<Made>(options: FreeSlugOptions<Made>): Promise<Made> {
  if (reservedFor(options.kind).includes(options.wanted ?? '')) {
    throw new PlatformError(
      'invalid',
      `The name ${options.wanted} is kept for Berth itself; choose another.`,
      {
        fields: [{ path: 'slug', message: 'is kept for Berth itself' }],
      },
    )
  }
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
  const base = (slugFrom(options.name) || options.kind).slice(0, 34).replace(/-+$/, '')
  const taken = new Set([...reservedFor(options.kind), ...(await options.taken(base))])
  for (let number = 1; ; number++) {
    const slug = number === 1 ? base : `${base}-${number}`
    if (!taken.has(slug)) return slug
  }
}

function reservedFor(kind: keyof typeof reserved): readonly string[] {
  return reserved[kind]
}
