/** Sets and clears the TXT record that an authority wants to see, by whatever the name's team has said does that. */
import { Resolver } from 'node:dns/promises'
import type { Config } from '../../config.ts'
import type { RecordSetter } from '../../model/record-setter.ts'
import { askOutside } from '../../outgoing.ts'
import { OutgoingError } from '../../outgoing-agent.ts'
import { type TextRecord, updateText } from './dynamic-update.ts'
import { RecordNotSet } from './record-not-set.ts'

type Asking = Pick<Config, 'privateHosts' | 'proxy' | 'dnsServers'>

/**
 * Twice is as once. A name that is an alias has its record set where it leads: so can `_acme-challenge.example.com` alone
 * be another server's. Throws RecordNotSet.
 */
export async function changeRecord(
  config: Asking,
  setter: RecordSetter,
  action: 'set' | 'clear',
  record: TextRecord,
): Promise<void> {
  const name = await aliasOf(config, record.name)
  if (setter.kind === 'rfc2136') return updateText(config, setter, action, { ...record, name })
  const { url, token } = setter
  const { host } = new URL(url)
  try {
    const { status, text } = await askOutside(config, url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ action, type: 'TXT', name, value: record.value, ttl: 60 }),
      timeoutMs: 30_000,
      maxBytes: 65_536,
    })
    if (status >= 200 && status < 300) return
    const said = text.replace(/\s+/g, ' ').trim().slice(0, 200)
    throw new RecordNotSet(`${host} answered with status ${status}${said === '' ? '' : `: ${said}`}`, 'url')
  } catch (cause) {
    if (!(cause instanceof OutgoingError)) throw cause
    throw new RecordNotSet(`${host} ${cause.message}`, 'url', { cause })
  }
}

async function aliasOf({ dnsServers }: Asking, name: string): Promise<string> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  if (dnsServers.length > 0) resolver.setServers(dnsServers)
  const [alias] = await resolver.resolveCname(name).catch(() => [])
  return alias?.toLowerCase() ?? name
}
