/** Looks at a name from outside: its record, where it leads, and whether Berth answers there. Never throws. */
import { Resolver } from 'node:dns/promises'
import { appUrl, type Config } from '../config.ts'
import { challengePath, type DomainCheck, isWildcard, recordName, recordValue } from '../model/domains.ts'
import { askOutside } from '../outgoing.ts'
import { OutgoingError } from '../outgoing-agent.ts'

export interface Question {
  id: string
  name: string
  token: string
}

type Settings = Pick<Config, 'dnsServers' | 'port' | 'proxy' | 'privateHosts'>

const answerTimeoutMs = 5_000

/** Takes at most some 15 s. */
export async function look(config: Settings, { id, name, token }: Question): Promise<DomainCheck[]> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  if (config.dnsServers.length > 0) resolver.setServers(config.dnsServers)
  const [record, addresses] = await Promise.all([
    lookForRecord(resolver, name, recordValue(token)),
    isWildcard(name) ? null : lookForAddresses(resolver, name),
  ])
  if (addresses === null) return [record]
  const { check, list } = addresses
  if (list.length === 0) return [record, check]
  return [record, check, await lookForAnswer(config, { id, name, token }, list)]
}

async function lookForRecord(resolver: Resolver, name: string, wanted: string): Promise<DomainCheck> {
  const step = 'record'
  try {
    const found = (await resolver.resolveTxt(recordName(name))).map((parts) => parts.join(''))
    if (found.includes(wanted)) return { step, status: 'ok', found: wanted }
    return {
      step,
      status: 'wrong',
      found: found
        .map((text) => text.slice(0, 100))
        .join(', ')
        .slice(0, 500),
    }
  } catch (error) {
    return { step, ...failure(error) }
  }
}

async function lookForAddresses(
  resolver: Resolver,
  name: string,
): Promise<{ check: DomainCheck; list: string[] }> {
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const list = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  if (list.length > 0)
    return { list, check: { step: 'address', status: 'ok', found: list.slice(0, 10).join(', ') } }
  const [first] = answers
  const error = first.status === 'rejected' ? first.reason : undefined
  return { list, check: { step: 'address', ...failure(error) } }
}

async function lookForAnswer(
  config: Settings,
  { id, name, token }: Question,
  addresses: string[],
): Promise<DomainCheck> {
  const step = 'answer'
  const [first = ''] = addresses
  const url = new URL(`${challengePath}${id}`, appUrl(config, first.includes(':') ? `[${first}]` : first))
  try {
    const { status, text } = await askOutside(config, url, {
      headers: { host: new URL(appUrl(config, name)).host },
      timeoutMs: answerTimeoutMs,
      maxBytes: 4_096,
    })
    if (status === 200 && text.trim() === recordValue(token)) return { step, status: 'ok', found: first }
    return { step, status: 'wrong', found: `${first} answers with status ${status}, and is not this Berth` }
  } catch (error) {
    const why = error instanceof OutgoingError ? error.message : "can't be asked"
    return { step, status: 'failed', found: `${first} ${why}` }
  }
}

function failure(error: unknown): Pick<DomainCheck, 'status' | 'found'> {
  const { code = '' } = (error ?? {}) as NodeJS.ErrnoException
  if (code === 'ENOTFOUND' || code === 'ENODATA') return { status: 'missing', found: '' }
  return { status: 'failed', found: `the name service does not answer (${code || 'unknown'})` }
}
