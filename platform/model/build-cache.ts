/** Where builds of an app leave their layers for hosts that have none of them: a repository beside the app's own. */
const lastPart = 'berth-build-cache'

/** @param repository with or without its team: acme/shop → acme/shop/berth-build-cache */
export function buildCacheOf(repository: string): string {
  return `${repository}/${lastPart}`
}

/** Nobody but the app's builds gets at its images: they hold what a build leaves out of its result, such as its source. */
export function isBuildCache(repository: string): boolean {
  return repository.endsWith(`/${lastPart}`)
}
