/** What variables may refer to, and where their files may be. Problems name the field of the change that they are in. */
import { notFound, requireProject, type Viewer } from './access.ts'
import type { Transaction } from './database.ts'
import type { EnvironmentVariables, PlainVariable } from './effective-variables.ts'
import { type FieldProblem, PlatformError } from './errors.ts'
import { BadReference, createResolver, keyOf, placeOf, referencesIn } from './model/references.ts'
import type { Platform } from './open.ts'
import type { VariablePlace } from './variable-owner.ts'

type Named = Pick<PlainVariable, 'name' | 'value' | 'filePath'>

/**
 * Whoever refers to another app's variable gets to know its value in his own app: he must be let to write it there.
 * Throws `invalid` as for an app that is not there.
 */
export async function requireReach(
  platform: Platform,
  viewer: Viewer,
  { teamId, projectId, environmentId }: Omit<VariablePlace, 'owner' | 'target'>,
  set: { name: string; value?: string | undefined }[],
  list = 'set',
): Promise<void> {
  const wanted = set.flatMap(({ name, value = '' }, at) =>
    referencesIn(value).flatMap(({ app }) => (app === null ? [] : [{ app, name, at }])),
  )
  if (wanted.length === 0) return
  const apps = await platform.db.app.findMany({
    where: { environmentId, slug: { in: wanted.map(({ app }) => app) } },
    select: { id: true, slug: true },
  })
  const problems: Problem[] = []
  for (const { app: slug, name, at } of wanted) {
    const app = apps.find((one) => one.slug === slug)
    try {
      if (app === undefined) throw notFound('app')
      const place = { teamId, projectId, appId: app.id }
      await requireProject(platform, viewer, place, 'variable.write', 'app')
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      const message = `refers to the app ${slug}, which is not there or not yours to change`
      problems.push({ name, path: `${list}.${at}.value`, message })
    }
  }
  refuse(problems)
}

/**
 * Of what was changed: every value can be made, and nobody else refers to what was removed.
 *
 * @param slug of the app whose they are; null for what is shared.
 */
export function requireGoodReferences(
  all: EnvironmentVariables,
  slug: string | null,
  { set, removed }: { set: Named[]; removed: string[] },
  list = 'set',
): void {
  const resolve = createResolver(all)
  const problems = set.flatMap(({ name }, at): Problem[] => {
    try {
      resolve(slug, name)
      return []
    } catch (error) {
      if (!(error instanceof BadReference)) throw error
      return [{ name, path: `${list}.${at}.value`, message: error.message }]
    }
  })
  refuse(problems)
  for (const [owner, variables] of [[null, all.shared] as const, ...all.apps])
    for (const [name, { value }] of variables)
      for (const reference of referencesIn(value)) {
        const at = placeOf(all, owner, name, reference)
        if (at !== slug || !removed.includes(reference.name)) continue
        throw new PlatformError(
          'conflict',
          `${keyOf(owner, name)} refers to ${reference.name}, so that can't be removed. Change ${keyOf(owner, name)} first.`,
        )
      }
}

/** No two files are in one place, or where a volume is mounted, in any app that runs with them. */
export async function requireGoodPaths(
  tx: Transaction,
  all: EnvironmentVariables,
  { environmentId }: Pick<VariablePlace, 'environmentId'>,
  slug: string | null,
  set: Named[],
  list = 'set',
): Promise<void> {
  if (!set.some(({ filePath }) => filePath !== null)) return
  const slugs = slug === null ? [...all.apps.keys()] : [slug]
  const volumes = await tx.volume.findMany({
    where: { app: { environmentId, slug: { in: slugs } }, deletedAt: null },
    select: { mountPath: true, app: { select: { slug: true } } },
  })
  const problems = set.flatMap(({ name, filePath }, at): Problem[] => {
    if (filePath === null) return []
    for (const app of slugs) {
      const isShadowed = slug === null && all.apps.get(app)?.has(name)
      if (isShadowed) continue
      const others = pathsOf(all, app).filter((other) => other.name !== name)
      const taken = others.find((other) => isWithin(other.path, filePath) || isWithin(filePath, other.path))
      const path = `${list}.${at}.filePath`
      if (taken !== undefined)
        return [{ name, path, message: `is in the way of ${taken.name}, whose file is ${taken.path}` }]
      const volume = volumes.find((one) => one.app?.slug === app && isWithin(filePath, one.mountPath))
      if (volume !== undefined) return [{ name, path, message: `is in the volume at ${volume.mountPath}` }]
    }
    return []
  })
  refuse(problems)
}

function pathsOf(all: EnvironmentVariables, slug: string): { name: string; path: string }[] {
  const own = all.apps.get(slug)
  const names = new Set([...all.shared.keys(), ...(own?.keys() ?? [])])
  return [...names].flatMap((name) => {
    const path = (own?.get(name) ?? all.shared.get(name))?.filePath ?? null
    return path === null ? [] : [{ name, path }]
  })
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

interface Problem extends FieldProblem {
  name: string
}

function refuse(problems: Problem[]): void {
  const [first] = problems
  if (first === undefined) return
  const fields = problems.map(({ path, message }) => ({ path, message }))
  throw new PlatformError('invalid', `${first.name} ${first.message}.`, { fields })
}
