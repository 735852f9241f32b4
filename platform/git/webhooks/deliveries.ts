/**
 * What forges send: whether it is theirs, and what it says. Pure. Sources: GitHub "Validating webhook deliveries", GitLab
 * "Webhooks", Gitea and Forgejo "Webhooks", Bitbucket Cloud "Manage webhooks" and "Event payloads", Standard Webhooks.
 */
import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { PlatformError } from '../../errors.ts'
import type { Forge } from '../../model/git-source.ts'
import { sameSecret } from '../../secrets.ts'

export interface Delivery {
  forge: Forge | null
  /** What the forge calls it; null where it has no name. */
  id: string | null
  /** `push`: something is new at `refs`; null: it does not say where. */
  kind: 'ping' | 'push' | 'other'
  refs: string[] | null
}

/** How old a message of our own form may be, and how far ahead a clock. */
const maxSkewSeconds = 300

/** Throws `unauthenticated` for what does not prove that it knows the secret, and `bad-request` for what can't be read. */
export function readDelivery(
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
  secret: string,
  now: Date,
): Delivery {
  const forge = forgeOf(headers)
  if (!isSigned(forge, headers, body, secret, now))
    throw new PlatformError(
      'unauthenticated',
      "The delivery is not signed with this webhook's secret, or is too old. Give the forge the secret that Berth shows when the webhook is made.",
    )
  const kind = kindOf(forge, headers)
  const refs = kind === 'push' ? refsOf(forge, parse(headers, body)) : null
  return { forge, id: idOf(forge, headers), kind, refs }
}

/** Gitea and Forgejo say that they are GitHub as well. */
function forgeOf(headers: Headers): Forge | null {
  if (headers.has('x-gitlab-event')) return 'gitlab'
  if (headers.has('x-gitea-event') || headers.has('x-forgejo-event')) return 'gitea'
  if (headers.has('x-github-event')) return 'github'
  return headers.has('x-event-key') ? 'bitbucket' : null
}

function isSigned(
  forge: Forge | null,
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
  secret: string,
  now: Date,
): boolean {
  const sent = (name: string) => headers.get(name) ?? ''
  const hmac = createHmac('sha256', secret).update(body).digest('hex')
  switch (forge) {
    case 'github':
      return sameSecret(sent('x-hub-signature-256'), `sha256=${hmac}`)
    case 'bitbucket':
      return sameSecret(sent('x-hub-signature'), `sha256=${hmac}`)
    case 'gitea':
      return sameSecret(sent('x-gitea-signature') || sent('x-forgejo-signature'), hmac)
    case 'gitlab':
      return sameSecret(sent('x-gitlab-token'), secret)
    case null: {
      const at = sent('webhook-timestamp')
      const isRecent = /^\d{1,12}$/.test(at) && Math.abs(now.getTime() / 1_000 - Number(at)) <= maxSkewSeconds
      const signed = createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
        .update(`${sent('webhook-id')}.${at}.`)
        .update(body)
        .digest('base64')
      const isOurs = sent('webhook-signature')
        .split(' ')
        .slice(0, 10)
        .map((each) => sameSecret(each, `v1,${signed}`))
      return isRecent && sent('webhook-id') !== '' && isOurs.includes(true)
    }
  }
}

function kindOf(forge: Forge | null, headers: Headers): Delivery['kind'] {
  switch (forge) {
    case 'github': {
      const event = headers.get('x-github-event')
      return event === 'ping' ? 'ping' : event === 'push' ? 'push' : 'other'
    }
    case 'gitea':
      return (headers.get('x-gitea-event') ?? headers.get('x-forgejo-event')) === 'push' ? 'push' : 'other'
    case 'gitlab':
      return /^(Push|Tag Push) Hook$/.test(headers.get('x-gitlab-event') ?? '') ? 'push' : 'other'
    case 'bitbucket': {
      const event = headers.get('x-event-key')
      return event === 'diagnostics:ping' ? 'ping' : event === 'repo:push' ? 'push' : 'other'
    }
    case null:
      return 'push'
  }
}

function idOf(forge: Forge | null, headers: Headers): string | null {
  const names: Record<Forge | 'none', string[]> = {
    github: ['x-github-delivery'],
    gitea: ['x-gitea-delivery', 'x-forgejo-delivery'],
    gitlab: ['idempotency-key', 'x-gitlab-event-uuid'],
    bitbucket: ['x-request-uuid'],
    none: ['webhook-id'],
  }
  const [id] = names[forge ?? 'none'].flatMap((name) => headers.get(name) ?? [])
  return id ?? null
}

/** Forges that send forms put the document into a field. */
function parse(headers: Headers, body: Uint8Array<ArrayBuffer>): unknown {
  const text = new TextDecoder().decode(body)
  const isForm = headers.get('content-type')?.startsWith('application/x-www-form-urlencoded') === true
  try {
    return JSON.parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text === '' ? '{}' : text)
  } catch (cause) {
    throw new PlatformError('bad-request', 'The body of the delivery is no JSON.', { cause })
  }
}

const ref = z.string().max(500)
const usual = z.object({ ref })
const bitbucket = z.object({
  push: z.object({
    changes: z
      .array(
        z.object({
          new: z
            .object({ type: z.enum(['branch', 'tag']), name: ref })
            .nullable()
            .catch(null),
        }),
      )
      .max(1_000),
  }),
})
const generic = z.object({ ref: ref.optional() })

function refsOf(forge: Forge | null, document: unknown): string[] | null {
  if (forge === 'bitbucket')
    return checked(bitbucket, document).push.changes.flatMap(({ new: now }) =>
      now === null ? [] : [`refs/${now.type === 'tag' ? 'tags' : 'heads'}/${now.name}`],
    )
  if (forge !== null) return [checked(usual, document).ref]
  const { ref: named } = checked(generic, document)
  return named === undefined ? null : [named.startsWith('refs/') ? named : `refs/heads/${named}`]
}

function checked<Schema extends z.ZodType>(schema: Schema, document: unknown): z.output<Schema> {
  const { success, data } = schema.safeParse(document)
  if (success) return data
  throw new PlatformError('bad-request', 'The delivery does not say what was pushed.')
}
