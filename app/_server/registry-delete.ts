import { PlatformError } from '../../platform/errors.ts'
import { registryService, registryTokenPath } from '../../platform/model/registry.ts'
import type { Platform } from '../../platform/open.ts'
import { removeImage, removeTag } from '../../platform/registry/remove.ts'
import { splitName } from '../../platform/registry/scope.ts'
import { whoIs } from '../../platform/registry/subject.ts'
import { verifyRegistryToken } from '../../platform/registry/verify-token.ts'
import { repositoryPlace } from '../../platform/repositories.ts'

/**
 * DELETE /v2/<name>/manifests/<tag or digest>, which the edge sends here instead of to the registry: what a deployment
 * needs is not deleted, whoever asks, and tags can be deleted, which Distribution 2.8 can't. OCI distribution-spec 1.1,
 * "Content management".
 */
export async function answerRegistryDelete(platform: Platform, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  const [, name, reference] = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(pathname) ?? []
  if (name === undefined || reference === undefined)
    return refuse(404, 'NAME_UNKNOWN', 'There is nothing here.')
  try {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    const claims = bearer === undefined ? null : await verifyRegistryToken(platform.config, bearer)
    const may = claims?.access.some((one) => one.name === name && one.actions.includes('delete'))
    if (claims === null || may !== true) return challenge(platform, name)
    const by = await whoIs(platform, claims.sub)
    const parts = splitName(name)
    const place =
      parts === null
        ? null
        : await repositoryPlace(platform, { namespace: parts.namespace, name: parts.repository })
    if (by === null) return challenge(platform, name)
    if (place === null) return refuse(404, 'NAME_UNKNOWN', `There is no repository ${name}.`)
    const isDigest = reference.includes(':') || reference.includes('%3A')
    if (isDigest) await removeImage(platform, by.by, place, decodeURIComponent(reference), {})
    else await removeTag(platform, by.by, place, reference, {})
    return new Response(null, { status: 202 })
  } catch (error) {
    if (!(error instanceof PlatformError)) {
      platform.log.error({ err: error }, 'an image could not be deleted')
      return refuse(500, 'UNKNOWN', 'Something went wrong on our side. Try again in a moment.')
    }
    if (error.code === 'not-found') return refuse(404, 'MANIFEST_UNKNOWN', error.message)
    return refuse(error.status, error.code === 'unavailable' ? 'UNAVAILABLE' : 'DENIED', error.message)
  }
}

/** As the registry itself asks for a token (distribution/docs/spec/auth/token.md). */
function challenge({ config }: Platform, name: string): Response {
  const realm = `${config.publicUrl}${registryTokenPath}`
  const scope = `repository:${name}:delete`
  return refuse(401, 'UNAUTHORIZED', 'Sign in as somebody who may delete images of this team.', {
    'www-authenticate': `Bearer realm="${realm}",service="${registryService}",scope="${scope}"`,
  })
}

function refuse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(
    { errors: [{ code, message }] },
    {
      status,
      headers: { ...headers, 'docker-distribution-api-version': 'registry/2.0', 'cache-control': 'no-store' },
    },
  )
}
