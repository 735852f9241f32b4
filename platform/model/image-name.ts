export interface ImageName {
  /** As references write it: docker.io where they write none. */
  registry: string
  /** library/nginx, acme/shop/web */
  repository: string
  tag: string | null
  digest: string | null
}

/** Reads a reference as Docker's users write them, well-formed or not: whoever pulls it judges it. */
export function readImageName(reference: string): ImageName {
  const [beforeDigest = '', digest] = reference.split('@')
  const [, whole = beforeDigest, tag] = /^(.*):([^/:]+)$/.exec(beforeDigest) ?? []
  const [first = '', ...rest] = whole.split('/')
  const namesHost = rest.length > 0 && /[.:]|^localhost$/.test(first)
  const registry = namesHost ? first.replace(/^(?:index|registry-1)\.docker\.io$/, 'docker.io') : 'docker.io'
  const path = namesHost ? rest.join('/') : whole
  const isOfficial = registry === 'docker.io' && !path.includes('/')
  return {
    registry,
    repository: isOfficial ? `library/${path}` : path,
    tag: tag ?? null,
    digest: digest ?? null,
  }
}

/** The same image by another tag, written as it was: `nginx:1` → `nginx:2`. */
export function withTag(reference: string, tag: string): string {
  return `${reference.replace(/@.*$/, '').replace(/:[^/:]+$/, '')}:${tag}`
}
