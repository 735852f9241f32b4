/** Which requests go where, as the maps that HAProxy looks them up in. */
import { join } from 'node:path'
import type { DesiredRoute } from '../../platform/worker/desired-routes.ts'
import type { EdgeSettings } from './settings.ts'

/** Backend that sends visitors on to another origin. */
export const redirectBackend = 'redirect'

const hostnamePattern = /^(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/
const prefixPattern = /^\/([A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*)?$/
const originPattern = /^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/

/**
 * What a route is found by: `shop.example/` or `shop.example/api/`. A request is looked up as its host, its path and a
 * slash, by the longest beginning that is there: so `/api` and `/api/x` are below `/api`, and `/apix` is not.
 */
export function routeKey({ hostname, pathPrefix = '/' }: DesiredRoute): string {
  check('hostname', hostname, hostnamePattern)
  check('path', pathPrefix, prefixPattern)
  return `${hostname}${pathPrefix === '/' ? '' : pathPrefix}/`
}

/** The origin that a route sends visitors on to; null where the app answers. */
export function redirectOf({ redirectTo = null }: DesiredRoute): string | null {
  if (redirectTo !== null) check('address', redirectTo, originPattern)
  return redirectTo
}

/** Of a route whose path stays whole. */
export const wholePath = '-'

/**
 * The prefix that the app does not see. Each route says it, since the longest one that does counts: without a word of
 * its own, `/api/v2` would lose the prefix of `/api`.
 */
export function strippedOf({
  pathPrefix = '/',
  stripPrefix = false,
  redirectTo = null,
}: DesiredRoute): string {
  return stripPrefix && redirectTo === null && pathPrefix !== '/' ? pathPrefix : wholePath
}

/** How a route wants to be asked, as one word of a map: `redirect:31536000`, `either:-`. Each route says it. */
export function transportOf({ toHttps = false, hstsSeconds = null }: DesiredRoute): string {
  if (hstsSeconds !== null && !Number.isSafeInteger(hstsSeconds))
    throw new Error(`The edge can't tell browsers to use HTTPS for ${hstsSeconds} seconds.`)
  return `${toHttps ? 'redirect' : 'either'}:${hstsSeconds ?? '-'}`
}

/** Throws on what can't be a name: whatever reached the database, nothing else reaches the configuration. */
export function check(what: string, text: string, pattern: RegExp): void {
  if (!pattern.test(text))
    throw new Error(`The edge can't take ${JSON.stringify(text)} as the name of a ${what}.`)
}

/** Files of the maps, besides the one of hosts. */
export function redirectsPath(settings: EdgeSettings): string {
  return join(settings.folder, 'redirects.map')
}

export function strippedPath(settings: EdgeSettings): string {
  return join(settings.folder, 'stripped.map')
}

export function transportPath(settings: EdgeSettings): string {
  return join(settings.folder, 'transport.map')
}

/** Lines of the public frontend that find a request's route: its key, its backend, and the prefix to take away. */
export function lookUp(settings: EdgeSettings, hostsPath: string): string[] {
  return [
    // With a slash behind the path, its last part is looked up whole.
    '    http-request set-var-fmt(txn.key) %[var(txn.host)]%[path]/',
    `    http-request set-var(txn.backend) var(txn.key),map_beg(${hostsPath})`,
    '    acl has-route var(txn.backend) -m found',
    // A name that has no route of its own, by the wildcard above it.
    '    http-request set-var(txn.wildcard) var(txn.host),regsub(^[^.]*,*) if !has-route',
    '    http-request set-var-fmt(txn.key) %[var(txn.wildcard)]%[path]/ if !has-route',
    `    http-request set-var(txn.backend) var(txn.key),map_beg(${hostsPath}) if !has-route`,
    `    http-request set-var(txn.transport) var(txn.key),map_beg(${transportPath(settings)})`,
    '    http-request del-header X-Forwarded-Prefix',
    `    http-request set-var(txn.stripped) var(txn.key),map_beg(${strippedPath(settings)})`,
  ]
}

/** Behind the lookup. Whoever hands the request over leaves its path: the next one looks it up anew. */
export function takePrefixes(prefixes: readonly string[], unless: string): string[] {
  if (prefixes.length === 0) return []
  return [
    '    http-request set-header X-Forwarded-Prefix %[var(txn.stripped)] if { var(txn.stripped) -m beg / }',
    ...prefixes.map(
      (prefix) =>
        `    http-request replace-path ^${prefix.replaceAll('.', '[.]')}/?(.*)$ /\\1 if !${unless} { var(txn.stripped) -m str ${prefix} }`,
    ),
  ]
}

export function redirecting(settings: EdgeSettings): string[] {
  return [
    `backend ${redirectBackend}`,
    `    http-request set-var(txn.target) var(txn.key),map_beg(${redirectsPath(settings)})`,
    '    http-request redirect location %[var(txn.target)]%[pathq] code 308',
    '',
  ]
}
