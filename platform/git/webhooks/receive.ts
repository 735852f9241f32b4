import { createHash } from 'node:crypto'
import { PlatformError } from '../../errors.ts'
import { enqueue } from '../../jobs.ts'
import type { Platform } from '../../open.ts'
import { unseal } from '../../secrets.ts'
import { refOf } from '../source.ts'
import { readDelivery } from './deliveries.ts'
import { hookContext } from './hooks.ts'

export interface Received {
  /** `accepted`: Berth looks at the repository now. */
  result: 'accepted' | 'ignored' | 'pong'
  /** A sentence for whoever looks at the delivery in the forge. */
  message: string
}

/** Longer than any forge tries again by itself. */
const rememberSeconds = 7 * 86_400
const doneAlready = 'This delivery came already.'

/**
 * Takes in what a forge tells of a push. It is only a hint: Berth looks at the repository itself, so that nothing that
 * a delivery says is deployed. Throws `not-found` for an address that is none, `unauthenticated` for a bad signature,
 * `conflict` for a delivery that came before, and `bad-request` for what can't be read.
 */
export async function receiveWebhook(
  platform: Platform,
  hookId: string,
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
): Promise<Received> {
  const source = await platform.db.gitSource.findUnique({
    where: { hookId },
    include: { app: { select: { hostId: true, desiredState: true } } },
  })
  if (source === null || source.sealedHookSecret === null || source.app.desiredState === 'deleted')
    throw new PlatformError('not-found', 'There is no such webhook. Its Git source may have been removed.')
  const { appId } = source
  const secret = unseal(platform.keyring, source.sealedHookSecret, hookContext(appId))
  const { forge, id, kind, refs } = readDelivery(headers, body, secret, new Date())
  if (kind === 'ping') return { result: 'pong', message: 'Berth hears you.' }
  if (kind === 'other') return { result: 'ignored', message: 'Berth looks at pushes only.' }
  const wanted = refOf(source)
  const name = `refs/${wanted.kind === 'tag' ? 'tags' : 'heads'}/${wanted.name}`
  if (wanted.kind === 'commit' || (refs !== null && !refs.includes(name)))
    return { result: 'ignored', message: `Berth deploys the ${wanted.kind} ${wanted.name} of this app.` }
  if (!source.autoDeploy)
    return { result: 'ignored', message: 'This app is not deployed by pushes: its settings say so.' }
  const forget = await rememberOnce(platform, hookId, id, body)
  try {
    const now = new Date()
    await platform.db.gitSource.update({
      where: { appId },
      data: {
        ...{ pushedAt: now, lookAt: now, lookFailures: 0, hookAt: now },
        ...(source.forge === null && forge !== null ? { forge } : {}),
      },
    })
  } catch (error) {
    await forget()
    throw error
  }
  await enqueue(platform, source.app.hostId ?? platform.config.hostId, 'look-at-git', { appId })
  return { result: 'accepted', message: `Berth looks at the ${wanted.kind} ${wanted.name} now.` }
}

/**
 * Neither the same delivery nor the same content under another name: names are not signed. Throws `conflict`, and
 * `unavailable` where nothing can be remembered. The answer takes it back.
 */
async function rememberOnce(
  platform: Platform,
  hookId: string,
  id: string | null,
  body: Uint8Array<ArrayBuffer>,
): Promise<() => Promise<void>> {
  const content = createHash('sha256').update(body).digest('hex')
  // A message of our own form has its name and its time in its signature, and may have no content to tell it by.
  const names = [...(id === null ? [] : [`id:${id}`]), ...(body.length < 20 ? [] : [`content:${content}`])]
  const keys = names.map(
    (each) => `berth:git-hook:${hookId}:${createHash('sha256').update(each).digest('hex')}`,
  )
  const taken: string[] = []
  const forget = async () => {
    if (taken.length > 0) await platform.redis.del(...taken)
  }
  try {
    for (const key of keys) {
      if ((await platform.redis.set(key, '1', 'EX', rememberSeconds, 'NX')) !== null) taken.push(key)
      else throw new PlatformError('conflict', doneAlready)
    }
    return forget
  } catch (error) {
    if (error instanceof PlatformError) {
      // One that was seen stays seen, and so does its new name.
      throw error
    }
    throw new PlatformError(
      'unavailable',
      'Deliveries can not be told apart now. Send it again in a minute.',
      {
        cause: error,
      },
    )
  }
}
