/** What buildah knows of registries: files in its container. Pure. */
import type { BuildSpec, ReachedRegistry } from './builder.ts'
import { authFile, authoritiesDir, type OwnFile, registriesFile } from './commands.ts'

type Spec = Pick<BuildSpec, 'push' | 'registries' | 'logins' | 'sharedCache'>

/** All files that say how registries are reached, and with which passwords. */
export function registryFiles(spec: Spec): OwnFile[] {
  return [
    { target: authFile, content: authText(spec) },
    { target: registriesFile, content: registriesText(spec) },
    ...authorityFiles(spec),
  ]
}

/** containers-auth.json(5): the longest name that fits an image decides. */
export function authText({ push, registries = [], logins = [], sharedCache }: Spec): string {
  const auths: Record<string, { auth: string }> = {}
  const add = (name: string, { username, password }: { username: string; password: string }) => {
    auths[name] = { auth: Buffer.from(`${username}:${password}`).toString('base64') }
  }
  for (const { host, prefix, ...login } of logins) add(prefix === '' ? host : `${host}/${prefix}`, login)
  for (const { mirrors = [] } of registries)
    for (const mirror of mirrors)
      if (mirror.credentials !== undefined) add(locationOf(mirror) ?? '', mirror.credentials)
  // Whatever else was written down for it: what is pushed is pushed with its own.
  if (push.credentials !== undefined) add(push.reference.split('/')[0] ?? '', push.credentials)
  if (sharedCache?.credentials !== undefined) add(sharedCache.repository, sharedCache.credentials)
  return JSON.stringify({ auths })
}

/** containers-registries.conf(5). */
export function registriesText({ push: { reference, insecure }, registries = [] }: Spec): string {
  const own = reference.split('/')[0] ?? ''
  const lines = ['unqualified-search-registries = ["docker.io"]', 'short-name-mode = "permissive"']
  if (insecure === true) lines.push('[[registry]]', `location = ${quoted(own)}`, 'insecure = true')
  for (const registry of registries) {
    if (registry.host === own) continue
    lines.push('[[registry]]', `prefix = ${quoted(registry.host)}`, ...placeOf(registry, registry.host))
    for (const mirror of registry.mirrors ?? [])
      lines.push('[[registry.mirror]]', ...placeOf(mirror, registry.host))
  }
  return `${lines.join('\n')}\n`
}

/** containers-certs.d(5). */
function authorityFiles({ registries = [] }: Spec): OwnFile[] {
  return registries
    .flatMap((registry) => [
      { ...registry, url: registry.url ?? `https://${registry.host}` },
      ...(registry.mirrors ?? []),
    ])
    .flatMap(({ url, ca }) =>
      url === undefined || ca === undefined
        ? []
        : [{ target: `${authoritiesDir}/${new URL(url).host}/ca.crt`, content: ca }],
    )
}

function placeOf(reached: ReachedRegistry, host: string): string[] {
  const location = locationOf(reached) ?? host
  return [
    `location = ${quoted(location)}`,
    ...(reached.url?.startsWith('http:') === true ? ['insecure = true'] : []),
  ]
}

/** Host, port and the beginning of names. */
function locationOf({ url }: ReachedRegistry): string | null {
  if (url === undefined) return null
  const { host, pathname } = new URL(url)
  return `${host}${pathname.replace(/\/+$/, '')}`
}

/** A TOML string; what JSON escapes TOML does alike. */
function quoted(text: string): string {
  return JSON.stringify(text)
}
