/** `berth domains records`: what sets the records for a certificate, so that nobody has to. */
import type { Domain } from '../../platform/model/domains.ts'
import type { RecordSetterInput, TsigAlgorithm } from '../../platform/model/record-setter.ts'
import type { LoginOptions } from '../client.ts'
import { CommandError, say } from '../say.ts'
import { domainOf } from './domains.ts'
import { openApp, readInput } from './open.ts'

export interface RecordsOptions extends LoginOptions {
  server?: string
  key?: string
  algorithm?: TsigAlgorithm
  zone?: string
  webhook?: string
  tokenStdin?: boolean
  byHand?: boolean
}

export async function setRecords(name: string, domain: string, options: RecordsOptions): Promise<void> {
  const input = options.byHand ? null : await setterOf(options, readInput)
  const opened = await openApp(name, options)
  const { id, displayName } = await domainOf(opened, domain)
  if (input === null) {
    await opened.client.change('DELETE', `/domains/${id}/records`)
    return say(`The records of ${displayName} are set by hand from now on.`)
  }
  await opened.client.change<Domain>('PUT', `/domains/${id}/records`, input)
  say(`It works: the records of ${displayName} are set by themselves from now on.`)
}

/** What the API is asked for. A secret is no argument: others on the machine would see it. */
export async function setterOf(
  { server, key, algorithm, zone, webhook, tokenStdin }: RecordsOptions,
  read: () => Promise<string>,
): Promise<RecordSetterInput> {
  if ((server === undefined) === (webhook === undefined))
    throw new CommandError('Say what sets them: --server and --key, or --webhook, or --by-hand.')
  if (webhook !== undefined) return { kind: 'webhook', url: webhook, token: tokenStdin ? await read() : '' }
  if (server === undefined || key === undefined)
    throw new CommandError('--server needs --key, the name of its key.')
  return {
    ...{ kind: 'rfc2136', server, keyName: key, secret: await read() },
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(zone === undefined ? {} : { zone }),
  }
}
