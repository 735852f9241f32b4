import { type Image, isEngineError, type LayerProgress } from '../engine/index.ts'
import { noteLoginResult, type TeamLogin, teamLogin } from '../platform/registries/pull-login.ts'
import { pullToken } from '../platform/registry/grant.ts'
import { ownRepository } from '../platform/registry/own-name.ts'
import type { DeploymentWork } from '../platform/worker/deployments.ts'
import { pullFailure } from './failure.ts'
import type { Host } from './host.ts'

/**
 * The deployment's image, ready to run. Once its digest is known that very image is meant, whatever the tag says now.
 *
 * That an image is on this host gives no team the right to run it: its registry is asked for it in the team's name, and
 * refuses what that may not pull. What the team was given before it may run again while the registry can't answer, and
 * with `isTrusted`, for what runs already and what is gone back to, without asking. Throws DeployFailure.
 */
export async function ensureImage(
  host: Host,
  work: DeploymentWork,
  {
    isTrusted = work.deployment.isRollback,
    ...options
  }: { isTrusted?: boolean; onProgress?: (layers: LayerProgress[]) => void; signal: AbortSignal },
): Promise<Image> {
  const { imageRef, imageDigest } = work.deployment
  const { engine, platform } = host
  const realm = work.team.id
  let login: TeamLogin | null = null
  try {
    const known = imageDigest ?? imageRef.split('@')[1]
    const present = known === undefined ? null : await givenBefore(host, known, realm)
    if (present !== null && isTrusted) return present
    const reference = imageDigest === null ? imageRef : pinned(imageRef, imageDigest)
    const repository = ownRepository(platform.config, imageRef)
    if (repository === null) login = await teamLogin(platform, realm, imageRef)
    const credentials =
      repository === null
        ? basic(login)
        : { kind: 'bearer' as const, token: await pullToken(platform, repository, realm) }
    const image = await engine.images
      .pull(reference, { platform: 'host', credentials, realm, ...options })
      .catch((error) => {
        if (present !== null && isEngineError(error) && error.isTemporary) return present
        throw error
      })
    if (login !== null) await noteLoginResult(platform, login.id, null)
    return image
  } catch (error) {
    options.signal.throwIfAborted()
    if (login !== null && isEngineError(error, 'access-denied'))
      await noteLoginResult(platform, login.id, `It was refused for ${imageRef}.`)
    throw pullFailure(imageRef, error, login)
  }
}

function basic(login: TeamLogin | null) {
  if (login === null) return undefined
  return { kind: 'basic' as const, username: login.username, password: login.password }
}

async function givenBefore({ engine }: Host, digest: string, realm: string): Promise<Image | null> {
  return engine.images.inspect(digest, { realm }).catch((error) => {
    if (isEngineError(error, 'not-found')) return null
    throw error
  })
}

/** `registry:5000/team/app:1` with a digest → `registry:5000/team/app@sha256:…`. */
export function pinned(reference: string, digest: string): string {
  const name = reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  return `${name}@${digest}`
}

/** Passes on the newest value at most every `everyMs`, one at a time; finish() passes on the last. */
export function atMostEvery<T>(everyMs: number, send: (value: T) => Promise<void>) {
  let latest: { value: T } | null = null
  let timer: NodeJS.Timeout | null = null
  let sending: Promise<void> = Promise.resolve()
  function flush(): void {
    timer = null
    const next = latest
    latest = null
    if (next !== null) sending = sending.then(() => send(next.value))
  }
  return {
    push(value: T): void {
      latest = { value }
      timer ??= setTimeout(flush, everyMs)
    },
    async finish(): Promise<void> {
      if (timer !== null) clearTimeout(timer)
      flush()
      await sending
    },
  }
}
