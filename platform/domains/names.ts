/** Text that people type → a name of the name service, or a sentence about what is wrong with it. */
import { domainToASCII } from 'node:url'
import { getPublicSuffix } from 'tldts'
import { localEndings } from '../certificates/local-names.ts'
import type { Config } from '../config.ts'
import { PlatformError } from '../errors.ts'
import { baseOf, isWildcard } from '../model/domains.ts'

type Names = Pick<Config, 'domain' | 'port'>

/** Throws `invalid` at the field `name`. IDNA by WHATWG's rules, as browsers do it. */
export function parseName(config: Names, text: string): string {
  const given = text.toLowerCase().replace(/\.$/, '')
  if (/^[a-z]+:\/\//.test(given) || given.includes('/'))
    throw badName('must be a name alone, such as shop.example.com; a path has a field of its own')
  if (/:\d*$/.test(given)) throw badName('must be a name without a port')
  const isAny = isWildcard(given)
  const base = domainToASCII(isAny ? given.slice(2) : given)
  if (base.includes('*') || given.includes('*', isAny ? 1 : 0))
    throw badName('may have a * only as its first part, such as *.example.com')
  if (/^[\d.]+$/.test(base) || base.startsWith('[')) throw badName('must be a name, not an address')
  const labels = base.split('.')
  if (base === '' || !labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)))
    throw badName('must be a domain name such as shop.example.com')
  if (base.length > 253 - (isAny ? 2 : 0)) throw badName('must be at most 253 characters')
  if (labels.length < 2) throw badName('must have a dot: the end of a name belongs to everybody')
  if (isPublicSuffix(base))
    throw badName('is a public suffix: names below it belong to many, so nobody has it as a whole')
  const name = isAny ? `*.${base}` : base
  refuseOwn(config, name)
  return name
}

/** Such as co.uk and github.io: https://publicsuffix.org, whose list comes with the package. */
function isPublicSuffix(base: string): boolean {
  return getPublicSuffix(base, { allowPrivateDomains: true }) === base
}

/** Berth's own host, and all that would take the generated names of others. */
function refuseOwn({ domain }: Names, name: string): void {
  const own = domain ?? 'localhost'
  if (baseOf(name) === own) throw badName("is the name of Berth itself; an app can't have it")
  const below = baseOf(name).endsWith(`.${own}`)
  if (domain !== null && below && (isWildcard(name) || name.split('.').length > own.split('.').length + 1))
    throw badName(`may be one part below ${own}, such as shop.${own}`)
}

/** Names for which nobody can set a record: whoever comes first has them. */
export function isLocal({ domain }: Names, name: string): boolean {
  const base = baseOf(name)
  return [...localEndings, ...(domain === null ? [] : [domain])].some((ending) => base.endsWith(`.${ending}`))
}

/** An origin. A name alone is one of this installation's. Throws `invalid` at the field `redirectTo`. */
export function parseTarget(config: Names, text: string): string {
  const port = config.port === 80 ? '' : `:${config.port}`
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `http://${text}${/:\d+$/.test(text) ? '' : port}`)
  if (url === null || !/^[a-z0-9.-]+$/.test(url.hostname))
    throw badTarget('must be a name, or an address such as https://www.example.com')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '')
    throw badTarget('must not have a path: the one that was asked for is kept')
  return url.origin
}

export function badName(message: string, code: 'invalid' | 'conflict' = 'invalid'): PlatformError {
  return new PlatformError(code, `The name ${message}.`, { fields: [{ path: 'name', message }] })
}

export function badTarget(message: string): PlatformError {
  return new PlatformError('invalid', `redirectTo ${message}.`, { fields: [{ path: 'redirectTo', message }] })
}
