/**
 * One attempt at a certificate, step by step: by HTTP-01 (RFC 8555, 8.3); for wildcards, and where something sets the
 * records, by DNS-01 (8.4).
 */
import { Resolver } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Authorization, Client } from 'acme-client'
import { appUrl, type Config } from '../../config.ts'
import { acmeChallengePath } from '../../model/certificates.ts'
import { isWildcard } from '../../model/domains.ts'
import type { RecordSetter } from '../../model/record-setter.ts'
import type { Platform } from '../../open.ts'
import { askOutside } from '../../outgoing.ts'
import { OutgoingError } from '../../outgoing-agent.ts'
import type { KeyPair } from '../authority.ts'
import { changeRecord } from '../records/set-record.ts'
import { openSetter } from '../records/stored.ts'
import { openAcme } from './account.ts'
import { challengeRecord, hasRecord, keepRecord, nextLookForRecord, resumeOrder } from './record.ts'
import { type Attempt, AttemptFailed, AttemptWaits } from './steps.ts'
import { sentenceOf } from './words.ts'

export interface Wanted {
  id: string
  name: string
}

/**
 * What can be seen to fail from here is not put before the authority, which counts failures. Throws AttemptFailed with
 * what was told of the step that failed, AttemptWaits until a record is there.
 */
export async function obtain(
  platform: Platform,
  { id, name }: Wanted,
  attempt: Attempt,
  signal?: AbortSignal,
): Promise<KeyPair> {
  const setter = await openSetter(platform, id)
  const isByRecord = isWildcard(name) || setter !== null
  const addresses = isByRecord ? [] : await lookUp(platform, name, attempt)
  const client = await stepOf(attempt, 'account', () => openAcme(platform))
  if (client === null) return attempt.fail('account', 'failed', 'no authority is configured any more')
  await attempt.tell('account', 'ok')
  signal?.throwIfAborted()
  const order = await stepOf(attempt, 'order', () =>
    isByRecord
      ? resumeOrder(platform, { id, name }, client)
      : client.createOrder({ identifiers: [{ type: 'dns', value: name }] }),
  )
  await attempt.tell('order', 'ok')
  try {
    const authorizations = await stepOf(attempt, 'challenge', () => client.getAuthorizations(order))
    for (const authorization of authorizations) {
      signal?.throwIfAborted()
      if (authorization.status === 'valid') await attempt.tell('challenge', 'ok', 'it was answered before')
      else if (isByRecord)
        await answerByRecord(platform, { id, name, client, authorization, setter, signal }, attempt)
      else await answer(platform, { id, name, client, authorization, addresses }, attempt)
    }
    signal?.throwIfAborted()
    return await stepOf(attempt, 'certificate', async () => {
      const { crypto } = await import('acme-client')
      const [key, request] = await crypto.createCsr(
        { altNames: [name] },
        await crypto.createPrivateEcdsaKey(),
      )
      const finalized = await client.finalizeOrder(order, request)
      // Not the order as it was: the library takes one that was ready from the beginning for one that is done.
      const done = await client.waitForValidStatus(finalized)
      return { chain: await client.getCertificate({ ...done, url: order.url }), key: key.toString() }
    })
  } finally {
    await platform.db.acmeChallenge.deleteMany({ where: { certificateId: id } })
  }
}

async function lookUp({ config }: Platform, name: string, attempt: Attempt): Promise<string[]> {
  await attempt.tell('address', 'working')
  const resolver = resolverOf(config)
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const found = answers.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
  if (found.length === 0) return attempt.fail('address', 'failed', 'the name leads nowhere yet')
  await attempt.tell('address', 'ok', found.slice(0, 10).join(', '))
  return found
}

function resolverOf({ dnsServers }: Pick<Config, 'dnsServers'>): Resolver {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  if (dnsServers.length > 0) resolver.setServers(dnsServers)
  return resolver
}

interface Answering extends Wanted {
  client: Client
  authorization: Authorization
  addresses: string[]
}

async function answer(
  platform: Platform,
  { id, name, client, authorization, addresses }: Answering,
  attempt: Attempt,
): Promise<void> {
  const challenge = authorization.challenges.find(({ type }) => type === 'http-01')
  if (challenge === undefined)
    return attempt.fail('challenge', 'failed', 'the authority does not offer to ask by HTTP')
  const keyAuthorization = await client.getChallengeKeyAuthorization(challenge)
  const { token } = challenge
  await platform.db.acmeChallenge.upsert({
    where: { token },
    create: { token, certificateId: id, keyAuthorization },
    update: { certificateId: id, keyAuthorization },
  })
  await attempt.tell('challenge', 'ok', token)
  await lookFromHere(platform, { name, token, keyAuthorization, addresses }, attempt)
  await stepOf(attempt, 'answer', async () => {
    await client.completeChallenge(challenge)
    await client.waitForValidStatus(challenge)
  })
  await attempt.tell('answer', 'ok')
}

async function answerByRecord(
  platform: Platform,
  {
    id,
    name,
    client,
    authorization,
    setter,
    signal,
  }: Omit<Answering, 'addresses'> & { setter: RecordSetter | null; signal: AbortSignal | undefined },
  attempt: Attempt,
): Promise<void> {
  const challenge = authorization.challenges.find(({ type }) => type === 'dns-01')
  if (challenge === undefined)
    return attempt.fail('challenge', 'failed', 'the authority does not offer to look for a record')
  // Of this kind of challenge the library answers what the record holds.
  const value = await client.getChallengeKeyAuthorization(challenge)
  const record = { name: challengeRecord(name), value }
  const order = await keepRecord(platform, id, record)
  await attempt.tell('challenge', 'ok', record.name)
  await attempt.tell('record', 'working', record.name)
  const prove = async () => {
    if (!(await isSeen(platform.config, record, setter === null ? [] : looksMs, signal))) {
      const next = nextLookForRecord(order, new Date())
      if (setter === null)
        throw new AttemptWaits(`the TXT record ${record.name} must hold ${value}`, next, {
          isForPeople: true,
        })
      if (Date.now() - Date.parse(order.since) > seenWithinMs)
        await attempt.fail('record', 'failed', `${record.name} was set an hour ago, and nobody sees it`)
      throw new AttemptWaits(`${record.name} was set and is not seen yet`, next, { isForPeople: false })
    }
    await attempt.tell('record', 'ok', record.name)
    await stepOf(attempt, 'answer', async () => {
      await client.completeChallenge(challenge)
      await client.waitForValidStatus(challenge)
    })
    await attempt.tell('answer', 'ok')
  }
  if (setter === null) return prove()
  await stepOf(attempt, 'record', () => changeRecord(platform.config, setter, 'set', record))
  let isWaiting = false
  try {
    await prove()
  } catch (error) {
    isWaiting = error instanceof AttemptWaits
    throw error
  } finally {
    // Meanwhile it may be asked for no more: nobody waits for the record then.
    const isWanted = isWaiting && (await platform.db.certificate.count({ where: { id } })) > 0
    // One that is left over says nothing to anybody: the next order has another value.
    if (!isWanted) await changeRecord(platform.config, setter, 'clear', record).catch(() => undefined)
  }
}

/** What a server was just told its neighbours know a moment later. */
const looksMs = [500, 1_000, 2_000, 4_000, 8_000]
const seenWithinMs = 3_600_000

async function isSeen(
  config: Config,
  record: { name: string; value: string },
  againMs: readonly number[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (const pauseMs of [...againMs, null]) {
    if (await hasRecord(resolverOf(config), record)) return true
    if (pauseMs !== null) await sleep(pauseMs, undefined, { signal })
  }
  return false
}

/**
 * As the authority will. Something else that answers would answer it as well, so that ends the attempt; what can't be
 * asked from here may be reached from there.
 */
async function lookFromHere(
  { config }: Platform,
  look: { name: string; token: string; keyAuthorization: string; addresses: string[] },
  attempt: Attempt,
): Promise<void> {
  await attempt.tell('reach', 'working')
  const [first = ''] = look.addresses
  const url = new URL(
    `${acmeChallengePath}${look.token}`,
    appUrl(config, first.includes(':') ? `[${first}]` : first),
  )
  const where = `${first}, port ${url.port || '80'}`
  let status = 0
  try {
    const answered = await askOutside(config, url, {
      headers: { host: new URL(appUrl(config, look.name)).host },
      timeoutMs: 5_000,
      maxBytes: 4_096,
    })
    if (answered.status === 200 && answered.text.trim() === look.keyAuthorization)
      return await attempt.tell('reach', 'ok', where)
    status = answered.status
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error
    return await attempt.tell('reach', 'failed', `${where} ${error.message}`)
  }
  await attempt.fail('reach', 'wrong', `${where} answers with status ${status}, and is not this Berth`)
}

async function stepOf<T>(
  attempt: Attempt,
  step: 'account' | 'order' | 'challenge' | 'record' | 'answer' | 'certificate',
  work: () => Promise<T>,
): Promise<T> {
  await attempt.tell(step, 'working')
  try {
    return await work()
  } catch (error) {
    if (error instanceof AttemptFailed) throw error
    return attempt.fail(step, 'failed', sentenceOf(error))
  }
}
