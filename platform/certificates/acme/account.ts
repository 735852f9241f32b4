/** The account that Berth has with the authority. One for the installation; its key is sealed. */
import { Agent } from 'node:https'
import tls from 'node:tls'
import type { Client } from 'acme-client'
import type { Platform } from '../../open.ts'
import { askOutside } from '../../outgoing.ts'
import { OutgoingError } from '../../outgoing-agent.ts'
import { seal, unseal } from '../../secrets.ts'
import { readStoredAcme, type StoredAcme } from './stored.ts'
import { sentenceOf } from './words.ts'

const id = 'installation'

/** A client that is signed in; null where no authority is configured. Throws what the authority, or the network, says. */
export async function openAcme(platform: Platform): Promise<Client | null> {
  const stored = await readStoredAcme(platform.db)
  if (stored === null) return null
  await mustAnswer(platform, stored)
  // Ten megabytes of memory: for those alone who have certificates made.
  const { axios, Client, crypto } = await import('acme-client')
  trust(axios, stored.authority)
  const key =
    stored.sealedKey === null
      ? (await crypto.createPrivateEcdsaKey()).toString()
      : unseal(platform.keyring, stored.sealedKey, keyContext(stored))
  const client = new Client({
    directoryUrl: stored.directoryUrl,
    accountKey: key,
    ...(stored.accountUrl === null ? {} : { accountUrl: stored.accountUrl }),
    ...{ backoffAttempts: 40, backoffMin: 500, backoffMax: 5_000 },
  })
  if (stored.accountUrl !== null) return client
  try {
    await client.createAccount({
      termsOfServiceAgreed: true,
      contact: stored.email === '' ? [] : [`mailto:${stored.email}`],
    })
  } catch (error) {
    await keep(platform, stored, { problem: sentenceOf(error) })
    throw error
  }
  const sealedKey = seal(platform.keyring, key, keyContext(stored))
  await keep(platform, stored, { sealedKey, accountUrl: client.getAccountUrl(), problem: null })
  return client
}

/** Unless they were changed meanwhile. */
async function keep({ db }: Platform, stored: StoredAcme, changes: Partial<StoredAcme>): Promise<void> {
  await db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM installation WHERE id = ${id} FOR UPDATE`
    const now = await readStoredAcme(tx)
    if (now?.directoryUrl !== stored.directoryUrl || now.accountUrl !== stored.accountUrl) return
    await tx.installation.update({ where: { id }, data: { acme: { ...now, ...changes } } })
  })
}

/** The library does not say why nobody answered, so that is found out first. */
async function mustAnswer(platform: Platform, stored: StoredAcme): Promise<void> {
  const { directoryUrl, authority } = stored
  try {
    const { status, text } = await askOutside(platform.config, directoryUrl, {
      ...(authority === '' ? {} : { ca: authority }),
      isTrusted: true,
    })
    if (status !== 200 || !text.includes('newOrder'))
      throw new OutgoingError(`answers with status ${status}, and is no ACME directory`)
  } catch (cause) {
    const problem = `${new URL(directoryUrl).host} ${sentenceOf(cause)}`
    if (stored.accountUrl === null) await keep(platform, stored, { problem })
    throw new Error(problem, { cause })
  }
}

/** The library asks everything through one client of its own; Berth asks one authority at a time. */
function trust(axios: typeof import('acme-client').axios, authority: string): void {
  const usual = [...tls.getCACertificates('default'), ...tls.getCACertificates('system')]
  axios.defaults.httpsAgent = new Agent({ ca: authority === '' ? usual : [...usual, authority] })
  axios.defaults.timeout = 30_000
  Object.assign(axios.defaults, { acmeSettings: { retryMaxAttempts: 2, retryDefaultDelay: 2 } })
}

/** A key that was made for one authority opens for no other. */
function keyContext({ directoryUrl }: StoredAcme): string {
  return `acme:${directoryUrl}`
}
