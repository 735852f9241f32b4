import { z } from 'zod'
import { askSocket } from '../abstract-socket.ts'
import { PlatformError } from '../errors.ts'
import type { Platform } from '../open.ts'
import { catalogToken, ownToken } from './grant.ts'
import { manifestTypes } from './manifest.ts'
import type { RegistryAction } from './scope.ts'

/** Berth's own requests to its registry, by its socket, each with a token for exactly what it asks. */

const answerWithinMs = 5_000
/** Distribution takes manifests up to this size (registry/handlers/manifests.go); configurations are kept to it here. */
const maxDocumentBytes = 4 * 2 ** 20

export interface StoredManifest {
  digest: string
  mediaType: string
  bytes: Buffer
}

/** Null where there is none of this tag or digest. Throws `unavailable` when the registry does not answer. */
export async function readManifest(
  platform: Platform,
  name: string,
  reference: string,
): Promise<StoredManifest | null> {
  const headers = { accept: manifestTypes.join(', ') }
  const response = await ask(platform, name, `manifests/${reference}`, { actions: ['pull'], headers })
  if (response.status === 404) return discard(response)
  await expectStatus(response, 200)
  return {
    digest: response.headers.get('docker-content-digest') ?? '',
    mediaType: response.headers.get('content-type') ?? '',
    bytes: await document(response),
  }
}

/** The digest that a tag names now; null where it names none. */
export async function readTag(platform: Platform, name: string, tag: string): Promise<string | null> {
  const response = await ask(platform, name, `manifests/${tag}`, {
    method: 'HEAD',
    actions: ['pull'],
    headers: { accept: manifestTypes.join(', ') },
  })
  if (response.status === 404) return null
  await expectStatus(response, 200)
  return response.headers.get('docker-content-digest')
}

/** A small blob as JSON: an image's configuration. Null where it is missing, too large or no JSON. */
export async function readJsonBlob(platform: Platform, name: string, digest: string): Promise<unknown> {
  const response = await ask(platform, name, `blobs/${digest}`, { actions: ['pull'] })
  if (response.status === 404 || Number(response.headers.get('content-length')) > maxDocumentBytes)
    return discard(response)
  await expectStatus(response, 200)
  try {
    return JSON.parse((await document(response)).toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** All tags of a repository; none where the registry has no such one. */
export async function listTagNames(platform: Platform, name: string): Promise<string[]> {
  const response = await ask(platform, name, 'tags/list', { actions: ['pull'] })
  if (response.status === 404) return (await discard(response)) ?? []
  await expectStatus(response, 200)
  return tagListSchema.parse(await response.json()).tags ?? []
}

const tagListSchema = z.object({ tags: z.array(z.string()).nullish() })
const catalogSchema = z.object({ repositories: z.array(z.string()).nullish() })
const catalogPage = 100

/** The names of all repositories, of all teams: for Berth alone. */
export async function listCatalog(platform: Platform): Promise<string[]> {
  const names: string[] = []
  for (;;) {
    const last = names.at(-1)
    const query = new URLSearchParams({ n: String(catalogPage), ...(last === undefined ? {} : { last }) })
    const response = await send(platform, `_catalog?${query}`, await catalogToken(platform), {})
    await expectStatus(response, 200)
    const page = catalogSchema.parse(await response.json()).repositories ?? []
    names.push(...page)
    if (page.length < catalogPage) return names
  }
}

export async function writeManifest(
  platform: Platform,
  name: string,
  reference: string,
  manifest: { mediaType: string; body: string },
): Promise<string> {
  const response = await ask(platform, name, `manifests/${reference}`, {
    method: 'PUT',
    actions: ['pull', 'push'],
    headers: { 'content-type': manifest.mediaType },
    body: manifest.body,
  })
  await expectStatus(response, 201)
  return response.headers.get('docker-content-digest') ?? ''
}

/** With every tag that names it. One that is gone already is no error. */
export async function deleteManifest(platform: Platform, name: string, digest: string): Promise<void> {
  const response = await ask(platform, name, `manifests/${digest}`, {
    method: 'DELETE',
    actions: ['pull', 'delete'],
  })
  if (response.status === 404) return discard(response) as unknown as undefined
  await expectStatus(response, 202)
}

interface Asked {
  method?: 'GET' | 'HEAD' | 'PUT' | 'DELETE'
  actions: RegistryAction[]
  headers?: Record<string, string>
  body?: string
}

async function ask(
  platform: Platform,
  name: string,
  path: string,
  { method = 'GET', actions, headers = {}, body }: Asked,
): Promise<Response> {
  const token = await ownToken(platform, name, ...actions)
  return send(platform, `${name}/${path}`, token, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  })
}

async function send(
  platform: Platform,
  path: string,
  token: string,
  request: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<Response> {
  try {
    return await askSocket(platform.config.registrySocket, `/v2/${path}`, {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(answerWithinMs),
    })
  } catch (cause) {
    throw away(cause)
  }
}

async function expectStatus(response: Response, status: number): Promise<void> {
  if (response.status === status) return
  const said = (await response.text().catch(() => '')).slice(0, 300)
  throw away(new Error(`the registry answered ${response.status}: ${said}`))
}

function away(cause: unknown): PlatformError {
  return new PlatformError('unavailable', 'The image registry does not answer. Try again in a moment.', {
    cause,
  })
}

async function document(response: Response): Promise<Buffer> {
  const bytes = Buffer.from(await response.arrayBuffer())
  if (bytes.length > maxDocumentBytes) throw away(new Error('a document is too large'))
  return bytes
}

async function discard(response: Response): Promise<null> {
  await response.body?.cancel()
  return null
}
