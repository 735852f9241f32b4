/** Where builds of an app leave their layers for hosts that have none of them: a repository of their own. */
const part = '/berth-build-cache/'

/** In the database's words, what names of caches contain, and no other name does. */
export const namesBuildCache = { contains: part }

/**
 * One for each app, as several of one name may build into one repository: what steps made of an app's secrets is no other's.
 * @param repository with or without its team: acme/shop → acme/shop/berth-build-cache/app_…
 */
export function buildCacheOf(repository: string, appId: string): string {
  return `${repository}${part}${appId}`
}

/** Nobody but the app's builds gets at its images: they hold what a build leaves out of its result, such as its source. */
export function isBuildCache(repository: string): boolean {
  return repository.includes(part)
}
