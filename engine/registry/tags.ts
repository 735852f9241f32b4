/** Which tags a repository has, page by page. Source: OCI distribution specification, "Listing Tags". */
import { EngineError } from '../errors.ts'
import { maxDocumentBytes } from '../oci/manifest.ts'
import { isTag } from '../oci/reference.ts'
import { readBody } from './body.ts'
import type { Endpoint } from './endpoint.ts'
import { type Answer, ask } from './exchange.ts'
import type { Limits } from './limits.ts'
import type { Repository, RequestOptions } from './registry.ts'
import { retrying } from './retry.ts'

/** Asked for; registries have limits of their own. */
const tagsPerPage = 1_000
const maxTags = 10_000
/** A registry that gives one tag a page is one that we do not wait for. */
const maxPages = 200

/** @param endpoint the registry itself: a mirror may know only what it was asked for. */
export async function listTags(
  endpoint: Endpoint,
  repository: Repository,
  { credentials, signal }: RequestOptions,
  limits: Limits,
): Promise<string[]> {
  const what = `repository ${repository.registry}/${repository.repository}`
  const path = `${repository.repository}/tags/list`
  const scopes = [`repository:${endpoint.prefix}${repository.repository}:pull`]
  const tags = new Set<string>()
  const asked = new Set<string>()
  for (let query: string | null = `n=${tagsPerPage}`; query !== null; ) {
    if (asked.has(query) || asked.size >= maxPages)
      throw new EngineError('invalid', `${endpoint.host} never comes to the end of the tags of ${what}`)
    asked.add(query)
    const to = `${path}?${query}`
    const page = await retrying(
      signal,
      async () => {
        const answer = await ask(endpoint, { method: 'GET', to, what, scopes, credentials, signal }, limits)
        const bytes = await readBody(answer.body, maxDocumentBytes, what, answer.host, limits)
        return { tags: tagsIn(bytes, what, answer.host), next: nextQuery(answer) }
      },
      limits,
    )
    for (const tag of page.tags) tags.add(tag)
    if (tags.size > maxTags)
      throw new EngineError('limit-exceeded', `${what} has more than ${maxTags} tags: name those you want`)
    query = page.next
  }
  return [...tags].sort()
}

function tagsIn(bytes: Buffer, what: string, host: string): string[] {
  const wrong = () => new EngineError('invalid', `${host} answers with no list of tags for ${what}`)
  let said: { tags?: unknown } | null
  try {
    said = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw wrong()
  }
  // A repository without tags has null in some registries.
  const tags = said?.tags ?? []
  if (said === null || typeof said !== 'object' || !Array.isArray(tags)) throw wrong()
  if (!tags.every((tag): tag is string => typeof tag === 'string' && isTag(tag))) throw wrong()
  return tags
}

/** Of the address that follows only what it asks: it is the same list of the same registry. Source: RFC 8288. */
function nextQuery({ headers, url }: Answer): string | null {
  const links = [headers.link ?? []].flat().join(', ')
  const target = /<([^>]*)>[^,]*;\s*rel="?next"?/i.exec(links)?.[1]
  const query = target === undefined ? '' : (URL.parse(target, url)?.search ?? '').slice(1)
  return query === '' ? null : query
}
