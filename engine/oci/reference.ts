/** Image references as users of Docker write them. Source: the distribution project's reference grammar. */
import { isIPv6 } from 'node:net'
import { EngineError } from '../errors.ts'
import { isDigest } from './digest.ts'

export interface Reference {
  /** Host, with port if any: docker.io, ghcr.io, localhost:5000, [::1]:5000. */
  registry: string
  /** Such as library/nginx. */
  repository: string
  tag: string | null
  digest: string | null
}

const pathPart = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const repositoryPattern = new RegExp(`^${pathPart}(?:/${pathPart})*$`)
const hostName = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*$/
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const maxRepositoryLength = 255
const maxLength = 1_024

/**
 * Reads a reference: `nginx` is docker.io/library/nginx:latest. With a digest, the tag is a comment. What stands before
 * the first slash is a host when it has a dot, a colon or a capital letter, or is localhost.
 * Throws invalid, with a sentence that names the part that is wrong.
 */
export function parseReference(text: string): Reference {
  const wrong = (why: string): never => {
    throw new EngineError('invalid', `${quoted(text)} is not an image reference: ${why}`)
  }
  if (text === '') wrong('it is empty')
  if (text.length > maxLength) wrong(`it is longer than ${maxLength} characters`)
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0]
  if (scheme) wrong(`leave ${scheme} away`)
  if (/\s/.test(text)) wrong('it holds a space')
  const { rest: named, digest } = takeDigest(text, wrong)
  const { rest: path, tag } = takeTag(named, wrong)
  const { registry, repository } = takeHost(path, wrong)
  if (!repositoryPattern.test(repository)) wrong(wrongRepository(repository))
  if (repository.length > maxRepositoryLength)
    wrong(`its name is longer than ${maxRepositoryLength} characters`)
  if (/^[0-9a-f]{64}$/.test(path)) wrong('64 hexadecimal digits are the id of an image and not a name')
  return { registry, repository, tag: tag ?? (digest ? null : 'latest'), digest }
}

/** Reads a reference that has neither tag nor digest. Throws invalid. */
export function parseRepository(text: string): Pick<Reference, 'registry' | 'repository'> {
  const { registry, repository } = parseReference(text)
  if (text.includes('@') || text.lastIndexOf(':') > text.lastIndexOf('/'))
    throw new EngineError(
      'invalid',
      `${quoted(text)} names one image: give the repository alone, such as ghcr.io/acme/shop`,
    )
  return { registry, repository }
}

type Wrong = (why: string) => never

function takeDigest(text: string, wrong: Wrong): { rest: string; digest: string | null } {
  const at = text.indexOf('@')
  if (at < 0) return { rest: text, digest: null }
  const digest = text.slice(at + 1)
  if (!isDigest(digest)) {
    const algorithm = /^([a-z0-9+._-]+):[0-9a-f]+$/.exec(digest)?.[1]
    if (algorithm && algorithm !== 'sha256')
      wrong(`digests of ${algorithm} are not known here, only of sha256`)
    wrong('what follows @ must be sha256: and 64 hexadecimal digits')
  }
  return { rest: text.slice(0, at), digest }
}

function takeTag(text: string, wrong: Wrong): { rest: string; tag: string | null } {
  const colon = text.lastIndexOf(':')
  if (colon <= text.lastIndexOf('/')) return { rest: text, tag: null }
  const tag = text.slice(colon + 1)
  if (tag === '') wrong('a tag must follow the colon')
  if (tag.length > 128) wrong('its tag is longer than 128 characters')
  if (!tagPattern.test(tag)) wrong(`${quoted(tag)} is not a tag: letters, digits, _ . and - make one`)
  return { rest: text.slice(0, colon), tag }
}

function takeHost(text: string, wrong: Wrong): { registry: string; repository: string } {
  const slash = text.indexOf('/')
  const first = slash < 0 ? '' : text.slice(0, slash)
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
  const [host, repository] = isHost ? [first, text.slice(slash + 1)] : ['docker.io', text]
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(host) ?? []
  const isName = name.startsWith('[') ? isIPv6(name.slice(1, -1)) && !name.includes('%') : hostName.test(name)
  if (!isName || name.length > 253) wrong(`${quoted(host)} is not a host`)
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) wrong(`${port} is not a port`)
  // Docker Hub's own other name.
  const registry = host === 'index.docker.io' ? 'docker.io' : host
  if (registry === 'docker.io' && !repository.includes('/'))
    return { registry, repository: `library/${repository}` }
  return { registry, repository }
}

function wrongRepository(repository: string): string {
  if (repository === '' || repository === 'library/') return 'it has no name'
  if (repository !== repository.toLowerCase()) return 'names are written in lower-case letters'
  if (/^\/|\/$|\/\//.test(repository)) return 'a part of its name is empty'
  return 'names are lower-case letters and digits, separated by . _ - or /'
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}

/** Whether a reference may end in it. */
export function isTag(text: string): boolean {
  return tagPattern.test(text)
}

/** The whole reference, with nothing left out. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === null ? '' : `:${reference.tag}`
  const digest = reference.digest === null ? '' : `@${reference.digest}`
  return `${reference.registry}/${reference.repository}${tag}${digest}`
}
