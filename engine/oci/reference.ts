/** Image references as users of Docker write them. Source: the distribution project's reference grammar. */
import { EngineError } from '../errors.ts'
import { isDigest } from './digest.ts'

export interface Reference {
  /** Host, with port if any: docker.io, ghcr.io, localhost:5000. */
  registry: string
  /** Such as library/nginx. */
  repository: string
  tag: string | null
  digest: string | null
}

const pathPart = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const repositoryPattern = new RegExp(`^${pathPart}(?:/${pathPart})*$`)
const hostPattern =
  /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]{1,5})?$/
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/**
 * Reads a reference: `nginx` is docker.io/library/nginx:latest. With a digest, the tag is a comment.
 * Throws invalid, with a sentence that names the part that is wrong.
 */
export function parseReference(text: string): Reference {
  const wrong = (why: string): never => {
    throw new EngineError(
      'invalid',
      `${JSON.stringify(text.slice(0, 200))} is not an image reference: ${why}`,
    )
  }
  if (text.length > 512) wrong('it is longer than 512 characters')
  let rest = text
  let digest: string | null = null
  const at = rest.indexOf('@')
  if (at >= 0) {
    digest = rest.slice(at + 1)
    if (!isDigest(digest)) wrong('what follows @ must be sha256: and 64 hexadecimal digits')
    rest = rest.slice(0, at)
  }
  let tag: string | null = null
  const colon = rest.lastIndexOf(':')
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1)
    rest = rest.slice(0, colon)
    if (!tagPattern.test(tag)) wrong(`${JSON.stringify(tag.slice(0, 140))} is not a tag`)
  }
  const slash = rest.indexOf('/')
  const first = slash < 0 ? '' : rest.slice(0, slash)
  const isHost =
    slash > 0 &&
    (first.includes('.') || first.includes(':') || first === 'localhost' || first !== first.toLowerCase())
  let registry = isHost ? first : 'docker.io'
  let repository = isHost ? rest.slice(slash + 1) : rest
  if (!hostPattern.test(registry)) wrong(`${JSON.stringify(registry)} is not a host`)
  if (registry === 'index.docker.io') registry = 'docker.io'
  if (registry === 'docker.io' && !repository.includes('/')) repository = `library/${repository}`
  if (!repositoryPattern.test(repository) || repository.length > 255)
    wrong('names are lower-case letters and digits, separated by . _ - or /')
  return { registry, repository, tag: tag ?? (digest ? null : 'latest'), digest }
}

/** The whole reference, with nothing left out. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === null ? '' : `:${reference.tag}`
  const digest = reference.digest === null ? '' : `@${reference.digest}`
  return `${reference.registry}/${reference.repository}${tag}${digest}`
}
